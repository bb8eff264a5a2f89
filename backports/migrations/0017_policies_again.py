from django.db import migrations

from xsa import rls
from xsa.readers import Kept, Owned, Personal, Under


class Migration(migrations.Migration):
    """The policies as they are written now: whoever may read a row is the same."""

    dependencies = [("backports", "0016_policies_again"), ("xsa", "0010_policies_again")]

    operations = [
        rls.ProtectAgain("Repository", Kept()),
        rls.ProtectAgain("Branch", Under("repository")),
        rls.ProtectAgain("UpstreamFix", Under("advisory", also="branch")),
        rls.ProtectAgain("Attempt", Under("advisory", builds_on="prerequisites", also="branch")),
        rls.ProtectAgain("Compilation", Under("attempt")),
        rls.ProtectAgain("Resolution", Under("advisory", builds_on="prerequisites", also="branch")),
        rls.ProtectAgain("Upload", Owned("advisory", also="branch", builds_on="prerequisites", author="made_by")),
        rls.ProtectAgain(
            "Backport",
            Owned("advisory", also="branch", builds_on="prerequisites", shared="shared_at", opens="opens"),
        ),
        rls.ProtectAgain("BackportVersion", Under("backport")),
        rls.ProtectAgain("VersionPatch", Under("version")),
        rls.ProtectAgain(
            "Event", Owned("advisory", also="branch", builds_on="builds_on", shared="shared_at", opens="opens")
        ),
        rls.ProtectAgain("Review", Under("version")),
        rls.ProtectAgain("ReviewDraft", Owned("advisory", also="version")),
        rls.ProtectAgain("Quorum", Under("advisory")),
        rls.ProtectAgain("Comment", Owned("advisory", also="backport", shared="shared_at", opens="opens")),
        rls.ProtectAgain("CommentPlace", Under("comment", also="version")),
        rls.ProtectAgain("Claim", Under("advisory", audience="room", also="branch")),
        rls.ProtectAgain("Check", Under("version")),
        rls.ProtectAgain("RequiredCheck", Under("branch")),
        rls.ProtectAgain("Look", Personal("advisory", person="user")),
    ]
