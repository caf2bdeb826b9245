-- Open allocations by team. Teams have other codes in the new system: `group_map` says which became which.
from open_work('allocation')
