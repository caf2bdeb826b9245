-- Open services by type.
from open_work('service')
