-- People (total): every old record with its new one.
from people_with('total')
