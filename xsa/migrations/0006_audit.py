import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from xsa import rls
from xsa.readers import Records

# Records are added and read. The role may not change or remove one, and neither may anybody else in passing.
ONLY_ADDED = """
DO $$ BEGIN
  REVOKE UPDATE, DELETE, TRUNCATE ON xsa_auditrecord FROM PUBLIC;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'backports_app') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON xsa_auditrecord FROM backports_app;
  END IF;
END $$;
CREATE FUNCTION xsa_only_added() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'Records of the audit are never changed or removed.'; END $$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON xsa_auditrecord
  FOR EACH STATEMENT EXECUTE FUNCTION xsa_only_added();
"""
CHANGEABLE = "DROP TRIGGER only_added ON xsa_auditrecord; DROP FUNCTION xsa_only_added();"
# A token that is good for some advisories speaks for no team.
LIMITED_TEAM = """
CREATE OR REPLACE FUNCTION xsa_in_team() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT COALESCE(current_setting('xsa.only', true), '') = '' AND EXISTS (
       SELECT 1 FROM xsa_membership m
       JOIN xsa_organisation o ON o.id = m.organisation_id JOIN xsa_user u ON u.id = m.user_id
       WHERE m.user_id = xsa_reader() AND u.is_active AND o.security_team) $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('xsa', '0005_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('person', 'Person'), ('robot', 'Robot')], default='person', max_length=10)),
                ('name', models.CharField(max_length=100)),
                ('prefix', models.CharField(max_length=12, unique=True)),
                ('digest', models.CharField(max_length=64)),
                ('verbs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'Read'), ('upload', 'Upload'), ('review', 'Review'), ('check', 'Check')], max_length=10), size=None)),
                ('embargoed', models.BooleanField(default=False)),
                ('advisories', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), blank=True, default=list, size=None)),
                ('branches', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, size=None)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='xsa.organisation')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-created_at',),
                'constraints': [models.CheckConstraint(condition=models.Q(('embargoed', False), ('advisories__len__gt', 0), _connector='OR'), name='what_is_embargoed_is_named')],
            },
        ),
        migrations.CreateModel(
            name='AuditRecord',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveBigIntegerField(unique=True)),
                ('at', models.DateTimeField()),
                ('verb', models.CharField(max_length=40)),
                ('actor', models.CharField(blank=True, max_length=40)),
                ('actor_name', models.CharField(blank=True, max_length=200)),
                ('organisation', models.TextField(blank=True)),
                ('organisations', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None)),
                ('advisories', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), blank=True, default=list, size=None)),
                ('kind', models.CharField(blank=True, max_length=40)),
                ('thing', models.CharField(blank=True, max_length=100)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('previous', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ('-position',),
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['advisories'], name='audit_advisories'), django.contrib.postgres.indexes.GinIndex(fields=['organisations'], name='audit_organisations'), models.Index(fields=['actor', 'at'], name='audit_actor_at')],
            },
        ),
        rls.Protect("AuditRecord", Records()),
        migrations.RunSQL(ONLY_ADDED, CHANGEABLE),
        migrations.RunSQL(LIMITED_TEAM, migrations.RunSQL.noop),
    ]
