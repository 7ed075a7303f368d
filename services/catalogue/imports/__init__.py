"""Reading events from files: JSON lines, iCalendar and schema.org's JSON-LD."""
