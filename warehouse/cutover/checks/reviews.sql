-- Reviews due in the next twelve months, and overdue ones.
from open_work('review')
