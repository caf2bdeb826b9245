-- Linked pairs whose birth date is not the same; one that was added in the new system is no difference.
from same_value('birth_date')
