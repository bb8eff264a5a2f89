"""The database's own copy of the read rule: row-level security, made from what the models say (`xsa.readers`).

`Protect` is the operation for migrations, `check_models` the system check that finds a table with a path to an
advisory that says nothing, `unprotected` what finds those without policies in the database. The policies call a few
SQL functions that `CREATE_FUNCTIONS` makes. All of it asks a few settings of the transaction (`xsa.identity`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import ForeignKey, Model, OneToOneField

from xsa.readers import Admissions, Kept, Owned, Personal, Readers, Records, Root, Under

CREATE_FUNCTIONS = """
CREATE FUNCTION xsa_reader() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT NULLIF(current_setting('xsa.reader', true), '')::uuid $$;
CREATE FUNCTION xsa_everything() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT COALESCE(current_setting('xsa.everything', true), '') <> '' $$;
CREATE FUNCTION xsa_in_scope(number integer) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT COALESCE(current_setting('xsa.only', true), '') = ''
         OR number::text = ANY(string_to_array(current_setting('xsa.only', true), ',')) $$;
CREATE FUNCTION xsa_in_team() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT EXISTS (
       SELECT 1 FROM xsa_membership m
       JOIN xsa_organisation o ON o.id = m.organisation_id JOIN xsa_user u ON u.id = m.user_id
       WHERE m.user_id = xsa_reader() AND u.is_active AND o.security_team) $$;
CREATE FUNCTION xsa_sees_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT EXISTS (
       SELECT 1 FROM xsa_membership m
       JOIN xsa_organisation o ON o.id = m.organisation_id JOIN xsa_user u ON u.id = m.user_id
       WHERE m.user_id = xsa_reader() AND u.is_active AND (o.security_team OR (o.listed AND m.contact))) $$;
CREATE FUNCTION xsa_admitted() RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT a.advisory_id FROM xsa_admission a JOIN xsa_membership m ON m.id = a.membership_id
       JOIN xsa_organisation o ON o.id = m.organisation_id JOIN xsa_user u ON u.id = m.user_id
       WHERE m.user_id = xsa_reader() AND u.is_active AND o.listed $$;
"""
DROP_FUNCTIONS = """
DROP FUNCTION xsa_admitted(); DROP FUNCTION xsa_sees_all(); DROP FUNCTION xsa_in_team();
DROP FUNCTION xsa_in_scope(integer); DROP FUNCTION xsa_everything(); DROP FUNCTION xsa_reader();
"""
# What is one's own is asked of the speaker: a token that opens nothing embargoed speaks for its organisation too.
CREATE_OWN_FUNCTIONS = """
CREATE FUNCTION xsa_speaker() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT NULLIF(current_setting('xsa.speaker', true), '')::uuid $$;
CREATE FUNCTION xsa_own() RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT m.organisation_id FROM xsa_membership m JOIN xsa_user u ON u.id = m.user_id
       WHERE m.user_id = xsa_speaker() AND u.is_active
         AND COALESCE(current_setting('xsa.organisation', true), '') IN ('', m.organisation_id::text) $$;
CREATE FUNCTION xsa_is_member() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT EXISTS (
       SELECT 1 FROM xsa_organisation o WHERE o.id IN (SELECT xsa_own()) AND (o.listed OR o.security_team)) $$;
"""
DROP_OWN_FUNCTIONS = "DROP FUNCTION xsa_is_member(); DROP FUNCTION xsa_own(); DROP FUNCTION xsa_speaker();"
_KEPT = (
    "organisation_id IS NULL OR (SELECT xsa_everything()) OR organisation_id IN (SELECT xsa_own()) "
    "OR (visibility = 'room' AND (SELECT xsa_is_member()))"
)
_OWN = "(SELECT xsa_everything()) OR {table}.organisation_id IN (SELECT xsa_own())"
_SEES_EMBARGOED = (
    "disclosed_at IS NOT NULL OR (SELECT xsa_everything()) "
    "OR (xsa_in_scope(number) AND ((SELECT xsa_sees_all()) OR id IN (SELECT xsa_admitted())))"
)
_ADMISSION = (
    "(SELECT xsa_everything()) OR (SELECT xsa_in_team()) OR membership_id IN "
    "(SELECT mine.id FROM xsa_membership mine WHERE mine.user_id = (SELECT xsa_reader())) OR membership_id IN "
    "(SELECT theirs.id FROM xsa_membership theirs "
    "JOIN xsa_membership admin ON admin.organisation_id = theirs.organisation_id "
    "WHERE admin.user_id = (SELECT xsa_reader()) AND admin.role = 'admin')"
)
# A token that is good for some advisories reads no audit.
_RECORD = (
    "(SELECT xsa_everything()) OR (COALESCE(current_setting('xsa.only', true), '') = '' AND ((SELECT xsa_in_team()) "
    "OR (organisations && ARRAY(SELECT m.organisation_id FROM xsa_membership m JOIN xsa_user u ON u.id = m.user_id "
    "WHERE m.user_id = (SELECT xsa_reader()) AND u.is_active) AND advisories <@ "
    "ARRAY(SELECT seen.number FROM xsa_advisory seen WHERE seen.number = ANY(advisories)))))"
)

# Asked beside the advisory itself, which is `parent` there.
_AUDIENCES = {
    "room": "((SELECT xsa_everything()) OR (((SELECT xsa_sees_all()) OR {column} IN (SELECT xsa_admitted())) "
    "AND xsa_in_scope(parent.number)))",
    "team": "((SELECT xsa_everything()) OR (SELECT xsa_in_team()))",
}


# Who may write has a policy for each command: one for all of them would be asked on reading too, at every level.
_WRITERS = (("adders", "INSERT"), ("changers", "UPDATE"), ("removers", "DELETE"))
_NAMES = ("readers", "writers", *(name for name, _ in _WRITERS))


def policies(model: type[Model], readers: Readers) -> Iterator[tuple[str, str, str]]:
    """Name, command and condition of a table's policies. What is read may be written; advisories only by services."""
    if isinstance(readers, Root):
        yield "readers", "SELECT", _SEES_EMBARGOED
        yield from ((name, command, "(SELECT xsa_everything())") for name, command in _WRITERS)
    elif isinstance(readers, Admissions):
        yield "readers", "ALL", _ADMISSION
    elif isinstance(readers, Records):
        yield "readers", "SELECT", _RECORD
        yield "writers", "INSERT", "(SELECT xsa_everything())"
    elif isinstance(readers, Kept):
        yield "readers", "ALL", _KEPT
    elif isinstance(readers, Personal):
        yield "readers", "ALL", _personal(model, readers)
    elif isinstance(readers, Owned):
        yield "readers", "SELECT", _owned(model, readers, _audience(model, readers))
        written = _owned(model, readers, _OWN.format(table=model._meta.db_table))
        yield from ((name, command, written) for name, command in _WRITERS)
    else:
        yield "readers", "ALL", _under(model, readers)


def _under(model: type[Model], readers: Under) -> str:
    table, column = model._meta.db_table, _foreign_key(model, readers.parent).column
    audience = _AUDIENCES[readers.audience].format(column=f"{table}.{column}") if readers.audience else "true"
    found = _readable(model, readers.parent, audience) + _surroundings(model, readers)
    if readers.orphans_for_the_team:
        found += f" OR ({column} IS NULL AND ((SELECT xsa_everything()) OR (SELECT xsa_in_team())))"
    return found


def _surroundings(model: type[Model], readers: Under | Owned) -> str:
    """What else must be readable: the advisories that it builds on, and the other row that it hangs on."""
    found = ""
    if readers.builds_on:
        column = f"{model._meta.db_table}.{readers.builds_on}"
        seen = f"ARRAY(SELECT other.number FROM xsa_advisory other WHERE other.number = ANY({column}))"
        found += f" AND (cardinality({column}) = 0 OR {column} <@ {seen})"
    if readers.also:
        column = f"{model._meta.db_table}.{_foreign_key(model, readers.also).column}"
        found += f" AND ({column} IS NULL OR {_readable(model, readers.also)})"
    return found


def _readable(model: type[Model], name: str, asked: str = "true") -> str:
    """What is `asked` of the row that it hangs on, `parent`; null, which lets nobody in, where that is not readable.

    PostgreSQL plans an EXISTS twice, by row and by hash, and so each level below twice as often as the one above;
    a query for one value it plans once. So what else is asked of the parent belongs into the same query.
    """
    field = _foreign_key(model, name)
    parent = field.related_model
    assert isinstance(parent, type) and issubclass(parent, Model)  # noqa: S101
    table, key = parent._meta.db_table, parent._meta.pk.column if parent._meta.pk else "id"
    return f"(SELECT {asked} FROM {table} parent WHERE parent.{key} = {model._meta.db_table}.{field.column})"


def _foreign_key(model: type[Model], name: str) -> ForeignKey[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, ForeignKey)  # noqa: S101
    return field


def _personal(model: type[Model], readers: Personal) -> str:
    column = f"{model._meta.db_table}.{_foreign_key(model, readers.person).column}"
    return f"{_readable(model, readers.parent)} AND ((SELECT xsa_everything()) OR {column} = (SELECT xsa_reader()))"


def _owned(model: type[Model], readers: Owned, whose: str) -> str:
    column = f"{model._meta.db_table}.{_foreign_key(model, readers.parent).column}"
    found = f"({_readable(model, readers.parent, whose)}{_surroundings(model, readers)})"
    if readers.author:
        author = f"{model._meta.db_table}.{_foreign_key(model, readers.author).column}"
        found += f" OR ({column} IS NULL AND ((SELECT xsa_everything()) OR {author} = (SELECT xsa_speaker())))"
    return found


def _audience(model: type[Model], readers: Owned) -> str:
    """The organisation's own people, and from when it is shared the room, then everybody."""
    table, column = model._meta.db_table, _foreign_key(model, readers.parent).column
    found = _OWN.format(table=table)
    if readers.shared:
        room = _AUDIENCES["room"].format(column=f"{table}.{column}")
        found += f" OR ({table}.{readers.shared} IS NOT NULL AND {room})"
    if readers.opens:
        found += f" OR ({table}.{readers.opens} AND parent.disclosed_at IS NOT NULL)"
    return found


class Protect(Operation):
    """Puts a model's table under row-level security, for its owner too, with the policies of `readers`."""

    reversible = True

    def __init__(self, model_name: str, readers: Readers) -> None:
        self.model_name = model_name
        self.readers = readers

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.model_name, self.readers], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of it is in Django's own state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        for statement in protect(model, self.readers):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, to_state: ProjectState
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
        for name in _NAMES:
            schema_editor.execute(f"DROP POLICY IF EXISTS {name} ON {table}")

    def describe(self) -> str:
        return f"Put {self.model_name} under row-level security"


class ProtectAgain(Protect):
    """Writes a table's policies anew, where their text changed and its readers did not."""

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, _from: ProjectState, to_state: ProjectState
    ) -> None:
        """The table stays as protected as it was: the policies before let the same people in."""

    def describe(self) -> str:
        return f"Write the policies of {self.model_name} anew"


def protect(model: type[Model], readers: Readers) -> Iterator[str]:
    """The statements that put a table under its policies, whatever it was under before."""
    table = model._meta.db_table
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    for name in _NAMES:
        yield f"DROP POLICY IF EXISTS {name} ON {table}"
    for name, command, condition in policies(model, readers):
        using = "" if command == "INSERT" else f" USING ({condition})"
        check = "" if command in ("SELECT", "DELETE") else f" WITH CHECK ({condition})"
        yield f"CREATE POLICY {name} ON {table} FOR {command}{using}{check}"


def secret_models() -> list[type[Model]]:
    """Every model that names its readers or has a path to an advisory: all that a foreign key leads to one from."""
    models = apps.get_models()
    found: set[type[Model]] = {one for one in models if readers_of(one)} | {apps.get_model("xsa", "Advisory")}
    while more := {one for one in models if one not in found and _points_at(one) & found}:
        found |= more
    return sorted(found, key=lambda one: one._meta.label)


def _points_at(model: type[Model]) -> set[type[Model]]:
    fields = [field for field in model._meta.get_fields() if isinstance(field, ForeignKey | OneToOneField)]
    return {field.related_model for field in fields if isinstance(field.related_model, type)}


def readers_of(model: type[Model]) -> Readers | None:
    """What the model says of its readers; None when it says nothing."""
    return getattr(model, "readers", None)


@checks.register(checks.Tags.models)
def check_models(**_: Any) -> list[checks.CheckMessage]:
    """A model with a path to an advisory must say who may read it."""
    return [
        checks.Error(
            f"{model._meta.label} has a path to an advisory and does not say who may read its rows.",
            hint="Give it `readers = Under(<foreign key>)` and a migration with `rls.Protect`.",
            id="xsa.E001",
        )
        for model in secret_models()
        if readers_of(model) is None
    ]


_UNPROTECTED = """
SELECT c.relname FROM pg_class c WHERE c.relname = ANY(%s) AND NOT (c.relrowsecurity AND c.relforcerowsecurity
  AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))
"""


def unprotected(using: str = "default") -> list[str]:
    """Tables that ought to be under row-level security in the database and are not."""
    tables = [model._meta.db_table for model in secret_models()]
    with connections[using].cursor() as cursor:
        cursor.execute(_UNPROTECTED, [tables])
        return [name for (name,) in cursor.fetchall()]
