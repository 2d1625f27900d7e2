"""Names: one canonical host for every way to write it, and imitations told from neighbours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.gate.domains import (
    MAX_VALUE,
    KnownDomains,
    Mailbox,
    address_of,
    host_of,
    imitation,
    known_domains,
    look_alike,
    mixed_scripts,
    registrable,
    skeleton,
    unicode_form,
)

HOSTS: dict[str, str] = {
    "boeing.example": "boeing.example",
    "BOEING.Example.": "boeing.example",
    "  boeing.example\n": "boeing.example",
    "boeing.example:8443": "boeing.example",
    "boeing.example/careers?x=1": "boeing.example",
    "//boeing.example/x": "boeing.example",
    "https://boeing.example": "boeing.example",
    "HTTPS://Boeing.Example:443/a#b": "boeing.example",
    "https://boeing.example?to=evil.example": "boeing.example",
    "https://boeing.example/\\evil.example": "boeing.example",
    "https://bo%65ing.example/": "boeing.example",
    "https://ann:secret@boeing.example/": "boeing.example",
    "ssh://git@boeing.example:22/repo": "boeing.example",
    "https://localhost:8080/x": "localhost",
    "https://good.example@evil.example/": "evil.example",
    "https://good.example%2f@evil.example/": "evil.example",
    "https://good.example:443@evil.example/": "evil.example",
    "https://evil.example#@good.example": "evil.example",
    "https://evil.example?@good.example": "evil.example",
    "https://bo\u200being.example": "boeing.example",
    "bo\u00ading.example": "boing.example",
    "ＢＯＥＩＮＧ．ｅｘａｍｐｌｅ": "boeing.example",
    "boeing。example": "boeing.example",
    "https://ⓑoeing.example": "boeing.example",
    "https://Bücher.example/": "xn--bcher-kva.example",
    "https://bu\u0308cher.example/": "xn--bcher-kva.example",
    "https://b%C3%BCcher.example": "xn--bcher-kva.example",
    "XN--BCHER-KVA.example": "xn--bcher-kva.example",
    "straße.example": "xn--strae-oqa.example",
    "https://bоeing.example": "xn--being-jye.example",
    "a_b.boeing.example": "a_b.boeing.example",
    "r3---x.boeing.example": "r3---x.boeing.example",
    "http://127.0.0.1/": "127.0.0.1",
    "http://2130706433/": "127.0.0.1",
    "http://0x7f000001/": "127.0.0.1",
    "http://0177.0.0.1/": "127.0.0.1",
    "http://127.1/": "127.0.0.1",
    "http://①②⑦.0.0.1/": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "192.0.2.7:25": "192.0.2.7",
    "http://[::1]:80/": "::1",
    "http://[2001:DB8:0:0::1]/": "2001:db8::1",
    "[2001:db8::1]": "2001:db8::1",
    "2001:db8::1": "2001:db8::1",
    "fe80::1": "fe80::1",
    "http://[::ffff:192.0.2.7]/": "192.0.2.7",
    "ann@boeing.example": "boeing.example",
    "Ann Lee <ann@Boeing.Example>": "boeing.example",
    '"ann@good.example" <ann@evil.example>': "evil.example",
    '"Lee, \\"Ann\\" <x@good.example>" <ann@evil.example>': "evil.example",
    "<ann@boeing.example>": "boeing.example",
    "mailto:ann@boeing.example": "boeing.example",
    "MAILTO:ann@boeing.example?subject=hi": "boeing.example",
    "ann+good.example@evil.example": "evil.example",
    "ann@bücher.example": "xn--bcher-kva.example",
}

NO_HOSTS: tuple[str, ...] = (
    "",
    "   ",
    "Boeing",
    "localhost",
    "2130706433",
    "see boeing.example",
    "boeing.example, evil.example",
    "boeing..example",
    ".boeing.example",
    "-boeing.example",
    "boeing-.example",
    "a" * 64 + ".example",
    "a." * 130 + "example",
    "x" * 9000,
    "https://",
    "https:///evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "https://good.example\\@evil.example/",
    "https://good.example\\evil.example",
    "good.example\\@evil.example",
    "https://a@good.example@evil.example/",
    "good.example/x@evil.example",
    "good.example/careers?x=1@evil.example",
    "https://good.example\t.evil.example/",
    "https://good.example .evil.example/",
    "https://good.example%00.evil.example/",
    "https://good.example%2f.evil.example/",
    "https://good.example%40evil.example/",
    "https://good.example／evil.example",
    "https://good.example＠evil.example",
    "https://good.example？evil.example",
    "https://good.example＼evil.example",
    "https://boeing.example:99999/",
    "https://boeing.example:80:90/",
    "https://xn--a.example",
    "https://xn--.example",
    "https://☃.example",
    "https://bo\u200deing.example",
    "http://256.0.0.1/",
    "http://1.2.3.4.5/",
    "http://[::1",
    "http://[fe80::1%eth0]/",
    "data:text/html,evil.example",
    "javascript:location='//evil.example'",
    "tel:5550100",
    "tel:55501",
    "boeing.example:x",
    "mailto:ann@good.example?cc=x@evil.example",
    "mailto:ann@good.example?bcc=x%40evil.example",
    "mailto:ann%40good.example",
    "ann@good.example, eve@evil.example",
    "ann@good.example; eve@evil.example",
    "ann@good.example eve@evil.example",
    "ann@good.example <eve@evil.example>",
    "Lee, Ann <eve@evil.example>",
    "<ann@good.example> <eve@evil.example>",
    "<ann@good.example>eve@evil.example",
    "ann@good.example(@evil.example)",
    '"ann@good.example"@evil.example',
    "@good.example:ann@evil.example",
    "eve%evil.example@good.example",
    "evil.example!eve@good.example",
    "ann@[192.0.2.7]",
    "ann@192.0.2.7",
    "ann@localhost",
    "ann@",
    "@good.example",
    "ann..lee@good.example",
    ".ann@good.example",
    "ann.@good.example",
    "a\u200bnn@good.example",
    "a\u202ennn@good.example",
    "a" * 65 + "@good.example",
    "ann@good.example\r\nBcc: eve@evil.example",
)


@pytest.mark.parametrize("value", HOSTS)
def test_a_value_leads_to_one_host_however_it_is_written(value: str) -> None:
    assert host_of(value) == HOSTS[value]


@pytest.mark.parametrize("value", NO_HOSTS)
def test_what_programs_could_read_in_two_ways_has_no_host(value: str) -> None:
    assert host_of(value) is None


def test_a_value_may_be_long_but_not_without_bound() -> None:
    url = "https://boeing.example/".ljust(MAX_VALUE, "x")
    assert host_of(url) == "boeing.example"
    assert host_of(url + "x") is None
    named = "<ann@boeing.example>".rjust(MAX_VALUE, "x")
    assert address_of(named) == Mailbox("ann", "", "boeing.example")
    assert address_of("x" + named) is None


@given(st.text(max_size=60) | st.from_regex(r"(https?:)?//[^/]{1,30}/.{0,9}|.{1,9}@.{1,20}"))
def test_a_host_is_its_own_host_whatever_the_value(value: str) -> None:
    host = host_of(value)
    if host is None:
        return
    assert host.isascii() and host == host.lower() and len(host) <= 253
    if "." in host or ":" in host:
        assert host_of(host) == host
    assert registrable(registrable(host)) == registrable(host)


@given(st.text(max_size=40))
def test_a_mailbox_is_its_own_mailbox_whatever_the_value(value: str) -> None:
    mailbox = address_of(f"{value}@boeing.example")
    if mailbox is not None:
        assert address_of(f"{mailbox.local}@{mailbox.host}") == Mailbox(
            mailbox.local, "", mailbox.host
        )


@pytest.mark.parametrize(
    ("value", "mailbox"),
    [
        ("Ann@Boeing.example", Mailbox("ann", "", "boeing.example")),
        ("ann+news+x@boeing.example", Mailbox("ann", "news+x", "boeing.example")),
        ("+ann@boeing.example", Mailbox("+ann", "", "boeing.example")),
        ("a.nn@boeing.example", Mailbox("a.nn", "", "boeing.example")),
        ("o'neil-x_y@boeing.example", Mailbox("o'neil-x_y", "", "boeing.example")),
        ("rene\u0301@boeing.example", Mailbox("ren\u00e9", "", "boeing.example")),
        ("mailto:ann+x@boeing.example?subject=hi", Mailbox("ann", "x", "boeing.example")),
        ('"Lee, Ann" <ann@boeing.example>', Mailbox("ann", "", "boeing.example")),
        ("boeing.example", None),
        ("https://ann@boeing.example/", None),
    ],
)
def test_mailboxes_are_compared_without_case_and_tag(value: str, mailbox: Mailbox | None) -> None:
    assert address_of(value) == mailbox


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("boeing.example", "boeing.example"),
        ("a.b.boeing.example", "boeing.example"),
        ("shop.boeing.co.uk", "boeing.co.uk"),
        ("co.uk", "co.uk"),
        ("one.github.io", "one.github.io"),
        ("a.one.github.io", "one.github.io"),
        ("a.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_owner_is_a_label_and_a_public_suffix(host: str, owner: str) -> None:
    assert registrable(host) == owner


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "pаypal"),
        ("paypal", "PayPaI"),
        ("paypal", "paypa1"),
        ("google", "g00gle"),
        ("modern", "modem"),
        ("winner", "vvinner"),
        ("apple", "аррӏе"),
        ("boeing", "bοeing"),
        ("boeing", "boe\u0131ng"),
        ("boeing", "boéing"),
        ("boeing", "ｂｏｅｉｎｇ"),
        ("boeing", "bo\u200being"),
        ("scope", "ѕсоре"),
    ],
)
def test_texts_that_look_the_same_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@given(st.text(max_size=30))
def test_a_skeleton_of_a_skeleton_adds_nothing_to_ascii(text: str) -> None:
    seen = skeleton(text)
    assert skeleton(text.lower()) == seen
    assert not (seen.isascii() and set("013457i") & set(seen))


def test_scripts_that_are_not_written_together_are_noticed() -> None:
    mixed = host_of("https://bоeing.example")
    assert mixed is not None and mixed_scripts(mixed)
    for value in (
        "boeing.example",
        "bücher.example",
        "日本のabc.example",
        "пример.example",
        "日本のテabc.example",
    ):
        host = host_of(value)
        assert host is not None and not mixed_scripts(host), value
        assert unicode_form(host) == value


_KNOWN = """
boeing northwind globex initech paymaster lumenworks marlow stellar-freight kornfeld vandelay
hooli wayne dm ibex acme oak cern modernform brightwater hillcrest pinnacle-legal quartzite
solvay tresco umbra veritone westmark xylogen yarrow zephyrair andersen calder dunmore ellipse
fenwick garrison helix ironclad juniper kestrel lattice meridian nimbus orchard petrel
cloud capital studio54 team1 bücher mail.redwood
"""
KNOWN: tuple[str, ...] = tuple(f"{name}.example" for name in _KNOWN.split())

# What imitates each, where a name without a dot stands for one under `.example`.
IMITATIONS: dict[str, str] = {
    "boeing": """
        b0eing boe1ng boelng boeinq boieng beoing boing boeeing boeingg boéing bоeing bοeing
        boe\u0131ng boeing.test boeing.co.uk boeing-careers boeing-example.test boeingexample.test
        boeing.example.evil.test boeing.evil secure-boeing boeingcareers wwwboeing loginboeing
        mail.boeing.example.evil.test www-boeing-example.test my.boeing-support.test bo-eing
        boeing.github.io b0eing-login b0einglogin boeing.login.evil boeing.test.evil
        boe.ing bo.eing.test boeing.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.evil
        boeing.example.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.evil bøeing bоеіпg boekng boeung
        bœing боеинг.boeing-hr bøeiħg b-o-e-ing b-o-e-ing-hr.evil
        """,
    "northwind": """
        n0rthwind northvvind nortwhind norhtwind northwlnd nothwind northwinds north-wind
        northwind.test northwind-invoices invoices.northwind.evil northwindpayments nortnwind
        northwind-example.test northwind.example.evil.test nоrthwind
        """,
    "globex": "gl0bex g1obex glob-ex globex.test globexpay pay-globex globex-refund gIobex globxe",
    "initech": "lnitech 1nitech inittech initecn initech-hr hr.initech.evil initech.test intiech",
    "paymaster": "payrnaster paymasler paymaster-payroll paymaster.test paymasters pаymaster",
    "lumenworks": "lumenvvorks lurnenworks lumenwork lumenwroks lumemworks lumemwork",
    "marlow": "rnarlow marl0w mar1ow marlovv marlow.test marlow-bank marloww",
    "stellar-freight": """
        stellarfreight stellar-frieght stellar-freight.test stellar--freight stelar-freigth
        steller-freight stellar-freight-docs
        """,
    "kornfeld": "komfeld kornfe1d k0rnfeld kornfield kornfeld.test kornfelds gornfeld",
    "vandelay": "vande1ay vandeley vandelay-orders vandelays vandalay vandelay.test vanclelay",
    "hooli": "hoo1i h00li hoolii hoil.hooli.evil hooli.test hooli-login hooil hoolipay",
    "acme": "acme.test acme-payments acme.evil acrne acme-example.test payments.acme.evil",
    "ibex": "ibex.test ib3x 1bex ibex-support ibex.evil",
    "oak": "oak.test oak-login oak-example.test",
    "cern": "cem cern.test cern-verify",
    "modernform": "modemform modernforrn modernfrom modern-form moderform modernform.test",
    "studio54": "studio54.test studi054 studio54-tickets stud1o54",
    "bücher": "bucher bücher.test bücher-shop bu\u0308ch3r büchner.bücher.evil bûcher",
    "redwood": "redw00d redvvood redwood.test redwood-mail mail.redwood.evil redwoood",
    "capital": "cap1tal capita1 caрital",
}

# What stands near them and imitates nobody.
NEIGHBOURS: dict[str, str] = {
    "themselves and what is theirs": """
        boeing www.boeing mail.boeing a.b.c.boeing northwind shop.northwind login.globex redwood
        www.redwood mail.redwood acme.acme boeing.boeing bücher www.bücher oak www.oak dm x.dm
        boeing-login.boeing boeing.example.boeing stellar-freight eu.stellar-freight team1 cloud
        paypal-login.boeing studio54 tickets.studio54
        """,
    "unrelated short names": """
        ab abc ace acne acid acre aim ape arc art ash bee bit boa bob bow box bug bus cab cam can
        cat cow cub cup dab dim dot dma dmb ear eel egg elf elk elm emu fab fan fin fir fox gem gnu
        gum hat hen ibis iris jam jar jet key kit lab lake lamb lark leaf lime lion lynx map mat
        moss nut oar oat orb ore owl ox pea pen pin ram ray reed rose rye sage seal sky sun swan
        tea tin toad twig van wax web wolf wren yak yew zen zoo oaks oaky dam dim-sum
        """,
    "unrelated longer names": """
        airborne aldermoor ambleside appleby arrowroot basilisk bellflower birchwood blackthorn
        bluestone bonfire boreal bramble bridgeport broadleaf cartwright cedarhurst chestnut
        coppermine cornflower dalton darkwater driftwood eastgate elderberry evergreen fairchild
        falconer firefly foxglove glasshouse goldfinch grapevine greystone hawthorn hazelnut
        heatherton highgate hollybush hornbeam ivybridge jackdaw kingfisher larkspur lavender
        limestone lindenwood longbow maplewood marigold marlin meadowlark mistletoe moorland
        nightjar nightingale oakhurst oldfield pebblebrook peppermint primrose ravenscroft redstart
        riverside rosemary saltmarsh sandpiper silverton skylark snowdrop springfield starling
        stonebridge sunflower thistledown thornbury turnstone valecrest walnut waterford waxwing
        weatherby whitby wildflower willowbank windermere woodpecker woodland
        """,
    "names with a known one's letters by chance": """
        oakland soaked cloak oakley-woods bookoak ibexa dmitri admin acmeism wayward waynesboro
        helixir umbrage umbrella calderwood-inn yarrowhill-inn marlowe-theatre-friends petrels-club
        kestrels-nest-inn nimbuses orchardson-violins junipero-serra team2 team3 team12 studio55
        studio64 ibexpay acmepay bøħŋħg goeing coeing concern northern southwind eastwind
        """,
    "a word that is many owners' name": """
        cloud-nine my-cloud cloud-kitchen capital-cycles ventures-capital cloud.harbour capital.inn
        cloudberry capitalgrille
        """,
    "ordinary hosts": """
        d1a2b3.cdn.fastedge e-1.mail.relaynet 0a1b2c3d.static.assetstore ns1.hosting-one
        tracker.weatherby s3.eu-west-1.storagepool api-v2.ledgerly go.linkly x.y.z.deepnest
        news.dailyherald calendar.meetly
        """,
}


def _host(text: str) -> str:
    host = host_of(text if "." in text and _ends(text) else f"{text}.example")
    assert host is not None, text
    return host


def _ends(text: str) -> bool:
    return text.endswith((".example", ".test", ".co.uk", ".github.io"))


@pytest.fixture(scope="module")
def known() -> KnownDomains:
    """The known domains, prepared once."""
    return known_domains([_host(name) for name in KNOWN])


POSITIVES = [(text, name) for name, listed in IMITATIONS.items() for text in listed.split()]
NEGATIVES = [text for listed in NEIGHBOURS.values() for text in listed.split()]


def test_the_tables_are_large_enough_to_mean_something() -> None:
    assert len(set(POSITIVES)) >= 120
    assert len(set(NEGATIVES)) >= 200


@pytest.mark.parametrize(("text", "name"), POSITIVES)
def test_an_imitation_is_traced_to_what_it_imitates(
    text: str, name: str, known: KnownDomains
) -> None:
    found = imitation(_host(text), known)
    assert found is not None
    assert found.known == _host(name)
    assert found.how


@pytest.mark.parametrize("text", NEGATIVES)
def test_a_neighbour_is_no_imitation(text: str, known: KnownDomains) -> None:
    assert look_alike(_host(text), known) is None


# A known domain, another, and whether it is an imitation: each rule at its bounds.
BOUNDS: tuple[tuple[str, str, bool], ...] = (
    ("oak.example", "oak.test", True),
    ("dm.example", "dm.test", False),
    ("cern.example", "cem.example", True),
    ("oam.example", "oarn.example", True),
    ("sol.example", "s0l.example", False),
    ("sol.example", "sоl.example", True),
    ("acme.example", "acne.example", False),
    ("umbra.example", "ubmra.example", True),
    ("umbra.example", "umbbra.example", True),
    ("umbra.example", "unbra.example", True),
    ("umbra.example", "umbro.example", False),
    ("umbra.example", "umbraz.example", False),
    ("umbral.example", "umbrol.example", True),
    ("umbral.example", "ombral.example", False),
    ("umbral.example", "umbralz.example", True),
    ("umbral.example", "umbrl.example", True),
    ("umbralo.example", "ombralo.example", False),
    ("umbralon.example", "ombralon.example", True),
    ("umbraloni.example", "umbrolonu.example", False),
    ("umbralonic.example", "umbrolonik.example", True),
    ("umbralonic.example", "ombralonik.example", False),
    ("umbralonic.example", "umbrolunik.example", False),
    ("umbralonic.example", "umbraloniczz.example", True),
    ("umbralonic.example", "umbraloniczzz.example", False),
    ("umbralonic.example", "umbralon.example", True),
    ("umbralonic.example", "umbralo.example", False),
    ("umbral7.example", "umbral8.example", False),
    ("umbral7.example", "umbra17.example", True),
    ("umbral.example", "umbral8.example", True),
    ("acme.example", "acme-xyz.example", True),
    ("oak.example", "oak-xyz.example", False),
    ("oak.example", "oak-login.example", True),
    ("oak.example", "oak-login-xyz.example", False),
    ("dm.example", "dm-login.example", False),
    ("cloud.example", "cloud-xyz.example", False),
    ("acme.example", "ac.me.example", True),
    ("oak.example", "o.ak.example", False),
    ("cloud.example", "clo.ud.example", False),
    ("umbra.example", "u-m-b-ra.evil.example", True),
    ("umbra.example", "u-m-b-r-a.evil.example", False),
    ("umbra.example", "umbrapay.example", True),
    ("umbra.example", "myumbra.example", True),
    ("umbra.example", "umbraxyz.example", False),
    ("acme.example", "acmepay.example", False),
    ("ocean.example", "oceanpay.example", False),
    ("oak.example", "oakexample.test", True),
    ("oak.example", "my-oak-example-x.test", True),
    ("ab.test", "ab.test.evil.example", True),
    ("ab.test", "x.ab.test.evil.example", True),
    ("ab.test", "abtest.example", True),
    ("a.test", "atest.example", False),
    ("a.test", "atest-x.example", False),
    ("bar.nett.example", "bar.nett.example.evil.test", True),
    ("mail.umbra.example", "mail.umbra.example.evil.test", True),
    ("umbra.example", "ümbra.test", True),
    ("boeing.example", "bøeiħg.example", True),
    ("boeing.example", "bøħiħg.example", True),
    ("boeing.example", "bøħŋħg.example", False),
    ("boeing.example", "bøxiħg.example", False),
)


@pytest.mark.parametrize(("one", "other", "imitates"), BOUNDS)
def test_each_rule_reaches_as_far_as_it_says(one: str, other: str, imitates: bool) -> None:
    found = look_alike(_host(other), known_domains([_host(one)]))
    assert found == (registrable(_host(one)) if imitates else None)


def test_a_name_may_be_as_long_as_the_dns_allows() -> None:
    longest = f"{'a.' * 122}a.example"
    assert len(longest) == 253
    assert host_of(longest) == host_of(longest + ".") == longest
    assert host_of("a" + longest) is None
    assert host_of(f"{'a' * 63}.example") == f"{'a' * 63}.example"


@given(st.sampled_from(KNOWN), st.from_regex(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?", fullmatch=True))
def test_whatever_is_under_a_known_domain_is_its_owners(name: str, label: str) -> None:
    known = known_domains([_host(known) for known in KNOWN])
    assert look_alike(f"{label}.{_host(name)}", known) is None


def test_addresses_and_single_labels_imitate_nobody(known: KnownDomains) -> None:
    for host in ("192.0.2.7", "2001:db8::1", "localhost", "boeing"):
        assert look_alike(host, known) is None
    assert look_alike("boeing.example", known_domains(["192.0.2.7", "localhost"])) is None


def test_with_nothing_known_nothing_is_imitated() -> None:
    assert look_alike("boeing.example", known_domains([])) is None


@given(st.permutations(["boeing.example", "boelng.example", "boeing.test"]))
def test_the_answer_does_not_depend_on_the_order_of_what_is_known(order: list[str]) -> None:
    assert look_alike("b0eing.evil.example", known_domains(order)) == "boeing.example"
