-- People (restricted): every old record with its new one.
from people_with('restricted')
