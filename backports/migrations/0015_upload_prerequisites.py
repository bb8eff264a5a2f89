from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from xsa import rls
from xsa.readers import Owned


class Migration(migrations.Migration):
    """What was begun on top of an embargoed advisory holds that one's patches, as sent too."""

    dependencies = [("backports", "0014_working_together")]

    operations = [
        migrations.AddField("upload", "prerequisites", ArrayField(models.PositiveIntegerField(), default=list)),
        rls.Protect("Upload", Owned("advisory", also="branch", builds_on="prerequisites", author="made_by")),
    ]
