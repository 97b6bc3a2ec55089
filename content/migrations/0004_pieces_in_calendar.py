import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content", "0003_parts")]

    operations = [
        migrations.AddField(
            model_name="piece",
            name="post",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="content.post",
            ),
        ),
        migrations.AlterField("aicall", "prompt_version", models.CharField(blank=True, max_length=24)),
        migrations.AlterField("run", "prompt_version", models.CharField(blank=True, max_length=24)),
        migrations.RunSQL(
            "ALTER TABLE content_piece ADD CONSTRAINT content_piece_post_id_tenant FOREIGN KEY (workspace_id, post_id)"
            " REFERENCES content_post (workspace_id, id) DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE content_piece DROP CONSTRAINT content_piece_post_id_tenant",
        ),
    ]
