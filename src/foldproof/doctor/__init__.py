"""A project in; whether a run that is started now could be reproduced, check by check with the next step, out."""
