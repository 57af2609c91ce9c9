"""Take a run back, record by record, where nothing has used it since."""
