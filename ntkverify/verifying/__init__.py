"""The verb `verify`, from settings to rows."""
