-- Linked pairs whose surname is not the same; one that was added in the new system is no difference.
from same_value('surname')
