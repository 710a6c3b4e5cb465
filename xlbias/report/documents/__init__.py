"""What a report says: a run, a comparison, a study and what is copied of a screen, as documents and their parts."""
