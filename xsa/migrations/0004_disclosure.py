import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from xsa import rls
from xsa.identity import everything
from xsa.readers import Under

STAYS_DISCLOSED = """
CREATE FUNCTION xsa_stays_disclosed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an advisory that is disclosed stays so' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER stays_disclosed BEFORE UPDATE ON xsa_advisory FOR EACH ROW
  WHEN (OLD.disclosed_at IS NOT NULL AND NEW.disclosed_at IS NULL) EXECUTE FUNCTION xsa_stays_disclosed();
"""
MAY_GO_BACK = "DROP TRIGGER stays_disclosed ON xsa_advisory; DROP FUNCTION xsa_stays_disclosed();"


def note_plans(apps, schema_editor):
    """The plans that are there now, as of the version that is there now."""
    from django.utils import timezone

    using = schema_editor.connection.alias
    advisories = apps.get_model("xsa", "Advisory").objects.using(using).select_related("current")
    planned = apps.get_model("xsa", "PlannedDate").objects.using(using)
    with everything("command"):
        for row in advisories.filter(disclosed_at=None).exclude(planned_disclosure_at=None):
            version = row.current.number if row.current else 0
            planned.create(
                advisory=row, planned_at=row.planned_disclosure_at, version=version, set_at=timezone.now()
            )


class Migration(migrations.Migration):

    dependencies = [
        ('xsa', '0003_lock'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlannedDate',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('planned_at', models.DateTimeField(null=True)),
                ('moved_from', models.DateTimeField(null=True)),
                ('version', models.PositiveSmallIntegerField()),
                ('set_at', models.DateTimeField()),
                ('advisory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='planned_dates', to='xsa.advisory')),
                ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-set_at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='DisclosureRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=200)),
                ('already_public', models.BooleanField(default=False)),
                ('asked_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('advisory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='disclosure_requests', to='xsa.advisory')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-asked_at', 'id'),
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('advisory',), name='one_open_disclosure_request'), models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('asked_by')), _negated=True), _connector='OR'), name='two_people_disclose_early')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('branch', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('looking', 'Looking'), ('not-affected', 'not affected'), ('patch-ready', 'patch ready'), ('built', 'Built'), ('shipped', 'Shipped')], max_length=20)),
                ('made_at', models.DateTimeField()),
                ('advisory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='statements', to='xsa.advisory')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='statements', to='xsa.organisation')),
            ],
            options={
                'ordering': ('-made_at', 'id'),
                'indexes': [models.Index(fields=['advisory', 'organisation'], name='statement_who')],
            },
        ),
        rls.Protect("PlannedDate", Under("advisory", audience="room")),
        rls.Protect("DisclosureRequest", Under("advisory", audience="team")),
        rls.Protect("Statement", Under("advisory", audience="room")),
        migrations.RunPython(note_plans, migrations.RunPython.noop),
        migrations.RunSQL(STAYS_DISCLOSED, MAY_GO_BACK),
    ]
