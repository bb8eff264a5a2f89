from django.db import migrations

from xsa import rls
from xsa.readers import Under


class Migration(migrations.Migration):
    dependencies = [("backports", "0007_compilation"), ("xsa", "0003_lock")]

    operations = [
        rls.Protect("UpstreamFix", Under("advisory")),
        rls.Protect("Attempt", Under("advisory", builds_on="prerequisites")),
        rls.Protect("Compilation", Under("attempt")),
        rls.Protect("Resolution", Under("advisory", builds_on="prerequisites")),
    ]
