-- Current address of linked pairs, by its postcode.
from same_value('postcode')
