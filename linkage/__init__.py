"""Who is who, and why: from checked source records to lasting person ids, every link with its evidence."""
