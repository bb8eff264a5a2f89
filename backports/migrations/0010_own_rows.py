from django.db import migrations

from xsa import rls
from xsa.readers import Kept, Owned, Under


class Migration(migrations.Migration):
    dependencies = [("backports", "0009_backports"), ("xsa", "0008_own")]

    operations = [
        rls.Protect("Repository", Kept()),
        rls.Protect("Branch", Under("repository")),
        rls.Protect("UpstreamFix", Under("advisory", also="branch")),
        rls.Protect("Attempt", Under("advisory", builds_on="prerequisites", also="branch")),
        rls.Protect("Resolution", Under("advisory", builds_on="prerequisites", also="branch")),
        rls.Protect("Upload", Owned("advisory", also="branch", author="made_by")),
        rls.Protect(
            "Backport",
            Owned("advisory", also="branch", builds_on="prerequisites", shared="shared_at", opens="opens"),
        ),
        rls.Protect("BackportVersion", Under("backport")),
        rls.Protect("VersionPatch", Under("version")),
    ]
