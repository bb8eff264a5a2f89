from django.db import migrations

from xsa import rls
from xsa.readers import Admissions, Records, Root, Under


class Migration(migrations.Migration):
    """The policies as they are written now: whoever may read a row is the same."""

    dependencies = [("xsa", "0009_policies_again")]

    operations = [
        rls.ProtectAgain("Admission", Admissions()),
        rls.ProtectAgain("Advisory", Root()),
        rls.ProtectAgain("AdvisoryVersion", Under("advisory")),
        rls.ProtectAgain("PatchFile", Under("version", orphans_for_the_team=True)),
        rls.ProtectAgain("Fix", Under("version")),
        rls.ProtectAgain("FixPatch", Under("fix")),
        rls.ProtectAgain("PlannedDate", Under("advisory", audience="room")),
        rls.ProtectAgain("DisclosureRequest", Under("advisory", audience="team")),
        rls.ProtectAgain("Statement", Under("advisory", audience="room")),
        rls.ProtectAgain("AuditRecord", Records()),
    ]
