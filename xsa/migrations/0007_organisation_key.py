from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("xsa", "0006_audit")]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="pgp_key",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="organisation",
            name="pgp_fingerprint",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
