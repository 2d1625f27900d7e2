"""Words that say little in a domain name, as data for the comparing of names."""

from typing import Final

_BAIT: Final = """
access account accounts admin alert alerts app apps auth award awards bank benefits billing
bonus booking bookings business career careers center centre chat client clients cloud
company confirm connect contact corp corporate customer customers delivery desk direct docs
doc document documents download drive email file files finance forms gift global group help
helpdesk home hq hr id inc info intl international invoice invoices it jobs legal link live
login logon mail mailer meeting meetings members mobile my net news notice notification
office official online order orders partner partners pay payment payments payroll portal
print pro procurement recovery refund remit remittance reset reward rewards safe secure
secured security server service services share shared shipping shop sign signin site sso
status store supplier suppliers support survey system systems team tech ticket tickets
tracking transfer treasury update updates usa user vault vendor vendors verification verify
vip voice wallet web webmail website wire www
"""

_COMMON: Final = """
agency air alpha america american apex asia auto beta blue book capital care central city
code coffee college consulting core data demo design dev digital east energy event events
example express farm fashion first fitness food forum foundation fund games garden gold
golf green health hotel house image images index insurance lab labs land law learn life
light local logistics main market marketing media medical metro micro money music name
national network next north ocean open park pharma photo photos place planet point post
power press prime product products project quality real red research road royal sales
school science search silver sky smart social society software solar solutions source
south space sport sports star start stock street studio summit sun super table talk test
time today tools total town trade trading train transport travel trust union unity
university value venture ventures video view vision water west white wine work works world
"""

# What is put around a name to make it look like a department of its owner.
BAIT: Final = frozenset(_BAIT.split())

# Words that many owners' names are: as a part of another name they point to nobody.
COMMON: Final = BAIT | frozenset(_COMMON.split())
