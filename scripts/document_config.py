"""Write config/README.md, which documents every key of a config, from the schema."""

from pathlib import Path

from deltann.study import schema, schema_page

PAGE = Path(__file__).parents[1] / "config" / "README.md"

if __name__ == "__main__":
    PAGE.write_text(schema_page.render(schema.load()), encoding="utf-8")
