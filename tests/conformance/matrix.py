"""Which cases catch which defect.

A defect is caught where every case of `fails` fails, and where the report on each case of `tells`
holds words that it does not hold for the hub without a defect. Cases of `follows` may fail as well,
since they rest on what the defect breaks; no other case may.
"""

from tests.conformance.caught import caught
from tests.conformance.caught_deliveries import CAUGHT_DELIVERIES
from tests.conformance.caught_requests import CAUGHT_REQUESTS

# A few quick cases of every kind, which meet every defect.
SENTINELS = caught(
    "SUB-01 SUB-04 SUB-07.200 SUB-08.no-topic SUB-09 SUB-12 SUB-17 SUB-20.404 VAL-05 "
    "VER-01 VER-02 VER-04.subscribe VER-05.query VER-08 VER-10.404 VER-11.wrong "
    "VER-12.201 UNS-01 PUB-01 PUB-08 DIS-02 DIS-03.html DIS-04.crlf DIS-05.atom "
    "DIS-06.header DIS-07.other DIS-08 DIS-17.length SIG-02 SIG-03.ascii SIG-04 EXT-01"
).fails

CAUGHT = CAUGHT_REQUESTS | CAUGHT_DELIVERIES
