-- Open safeguarding enquiries, each listed by its keys.
from open_work('safeguarding')
