import django.db.models.deletion
from django.db import migrations, models

# Who said a line is known where a talk has one line of theirs; whom a private reply was for, where it has the comment.
FILL = """
SELECT set_config('app.scope', 'platform', true);
UPDATE content_talkline l SET person = t.person, username = t.username
FROM content_talk t WHERE t.id = l.talk_id AND NOT l.is_ours AND (t.kind = 'message' OR 1 = (
    SELECT count(*) FROM content_talkline o WHERE o.talk_id = t.id AND NOT o.is_ours));
UPDATE content_talkline l SET answered_privately = true
FROM content_talk t WHERE t.id = l.talk_id AND t.answered_privately AND l.remote_id = t.root;
UPDATE content_talkline l SET answers_id = c.id, person = c.person, username = c.username
FROM content_talk t JOIN content_talkline c ON c.talk_id = t.id AND c.remote_id = t.root
WHERE t.id = l.talk_id AND l.is_ours AND (l.is_private OR l.rule_id IS NOT NULL);
SET CONSTRAINTS ALL IMMEDIATE;
SELECT set_config('app.scope', '', true);
"""
KEY = """
ALTER TABLE content_talkline ADD CONSTRAINT content_talkline_answers_id_tenant FOREIGN KEY (workspace_id, answers_id)
REFERENCES content_talkline (workspace_id, id) DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0009_reviews")]

    operations = [
        migrations.AddField("talkline", "person", models.CharField(max_length=32, blank=True)),
        migrations.AddField("talkline", "username", models.CharField(max_length=64, blank=True)),
        migrations.AddField("talkline", "answered_privately", models.BooleanField(default=False)),
        migrations.AddField(
            "talkline",
            "answers",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="content.talkline",
            ),
        ),
        migrations.RunSQL(KEY, "ALTER TABLE content_talkline DROP CONSTRAINT content_talkline_answers_id_tenant"),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField("talk", "answered_privately"),
        migrations.RemoveConstraint("talkline", "rule_once_a_talk"),
        migrations.AddConstraint(
            "talkline",
            models.UniqueConstraint(
                models.F("workspace"), models.F("talk"), models.F("rule"), models.F("person"), name="rule_once_a_person"
            ),
        ),
    ]
