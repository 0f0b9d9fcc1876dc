"""Check whether a run started now could be reproduced, point by point with the next step."""
