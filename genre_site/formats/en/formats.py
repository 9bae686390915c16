"""English dates as the rest of the world reads them."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
