from django.db import migrations

from xsa import rls


class Migration(migrations.Migration):
    dependencies = [("xsa", "0007_organisation_key")]

    operations = [migrations.RunSQL(rls.CREATE_OWN_FUNCTIONS, rls.DROP_OWN_FUNCTIONS)]
