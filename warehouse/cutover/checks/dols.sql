-- Deprivation-of-liberty authorisations in force, each listed by its keys.
from open_work('dols')
