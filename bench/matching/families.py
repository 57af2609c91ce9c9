"""Make families of customers that look alike: each is a lesson about wrong links."""

from dataclasses import replace

from bench.matching.stock import pool
from bench.matching.world import COMMON, Entity, Family, World

NEAR_GIVEN = (
    ("Ingri", "Ingrid"),
    ("Erik", "Eirik"),
    ("Ola", "Olav"),
    ("Per", "Pål"),
    ("Marit", "Marita"),
    ("Jon", "John"),
    ("Kari", "Karin"),
    ("Hans", "Hanne"),
    ("Jan", "Jens"),
    ("Anne", "Anna"),
    ("Kristin", "Kristine"),
    ("Ole", "Odd"),
    ("Svein", "Stein"),
    ("Tor", "Tore"),
    ("Lars", "Lasse"),
    ("Morten", "Martin"),
)

KEEPERS = ("Regnskap", "Økonomi", "Revisjon", "Eiendomsforvaltning", "Regnskapskontor", "Advokat")


def same_name(world: World) -> None:
    """Two to four persons of one common name, each at home elsewhere."""
    rng, names = world.rng, pool()
    common = [n for n, w in zip(names.surnames, names.surname_weights, strict=True) if w > COMMON]
    given = rng.choices(names.given, names.given_weights)[0]
    first = world.person(given=given, surname=rng.choice(common))
    rest = [world.elsewhere(first) for _ in range(rng.choice((1, 1, 2, 3)))]
    if rng.random() < 0.2:
        middle = f"{first.given} {rng.choice(names.given)}"
        rest[0] = replace(rest[0], given=middle, name=f"{middle} {first.surname}")
    if rng.random() < 0.15:
        rest[0] = replace(rest[0], place=first.place, code=first.code)
    world.family("samename", [first, *rest])


def household(world: World) -> None:
    """Relatives at one address: near given names, spouses, a couple beside one of them."""
    rng = world.rng
    first = world.person()
    if rng.random() < 0.45:
        one, other = rng.choice(NEAR_GIVEN)
        first = replace(first, given=one, name=f"{one} {first.surname}")
        first = replace(first, mail=world.person_mail(one, first.surname))
    else:
        other = next(
            name for name in iter(lambda: pool().person(rng)[0], "") if name != first.given
        )
    second = replace(
        first,
        given=other,
        name=f"{other} {first.surname}",
        mail=world.person_mail(other, first.surname),
    )
    if rng.random() < 0.6:
        second = replace(second, phone=world.phone())
    if rng.random() < 0.15:
        second = replace(second, mail=first.mail)
    members = [first, second]
    if rng.random() < 0.35:
        both = replace(first, name=f"{first.given} og {other} {first.surname}", mail=second.mail)
        members = [first, replace(both, phone=world.phone())]
    world.family("household", members)


def owner_and_firm(world: World) -> None:
    """Pair a person with the company named after him, at one address or not."""
    rng = world.rng
    owner = world.person()
    trade = rng.choice(pool().trades)
    surname = owner.surname.split(" ")[-1]
    name = rng.choice(
        (f"{surname} {trade}", f"{owner.given} {surname}", f"{owner.given} {surname} {trade}")
    )
    form = rng.choice(("AS", "AS", "", "ENK"))
    firm = replace(
        owner, kind="Bedrift", name=name, form=form, number=world.number(), given="", surname=""
    )
    firm = replace(
        firm,
        mail=world.company_mail(replace(firm, contact=owner.name)),
        phone=rng.choice((owner.phone, world.phone())),
    )
    if rng.random() < 0.4:
        firm = replace(world.elsewhere(firm))
    if rng.random() < 0.1:
        firm = replace(firm, mail=owner.mail)
    world.family("owner_as", [owner, firm])


def branches(world: World) -> None:
    """Give a main unit branches, mostly with their own number, some with one mailbox and phone."""
    rng = world.rng
    main = world.company(form="AS")
    members = [main]
    for _ in range(rng.choice((1, 1, 2, 3))):
        branch = world.elsewhere(replace(main, number=world.number()))
        if branch.place in {one.place for one in members}:
            continue
        sign = rng.choice((" avd. {}", " avd {}", " {}", " - {}", ", avdeling {}", " Filial {}"))
        branch = replace(
            branch, name=main.name + sign.format(branch.place.title()), main_name=main.name
        )
        if rng.random() < 0.4:
            branch = replace(branch, mail=main.mail)
        if rng.random() < 0.25:
            branch = replace(branch, phone=main.phone)
        if rng.random() < 0.2:
            branch = replace(branch, number=main.number, main_name="")
        members.append(branch)
    world.family("branch", members)


def chain(world: World) -> None:
    """Shops of one chain in several towns, or one formless name used in several towns."""
    rng = world.rng
    first = world.company(form=rng.choice(("", "AS")))
    lead = first.name
    domain = f"{rng.choice(('post', 'kontakt'))}@{world.company_mail(first).split('@')[1]}"
    members: list[Entity] = []
    named = rng.random() < 0.6
    for _ in range(rng.choice((2, 2, 3, 4))):
        shop = world.elsewhere(replace(first, number=world.number()))
        shop = replace(
            shop,
            name=f"{lead} {shop.place.title()}" if named else lead,
            form=first.form if named else "",
        )
        if named and rng.random() < 0.4:
            shop = replace(shop, mail=domain)
        members.append(shop)
    world.family("chain" if named else "town", members)


def departments(world: World) -> None:
    """Departments of one municipality: the same street and mailbox, the same or own numbers."""
    rng = world.rng
    town = world.company(form="")
    stem = f"{town.place.title()} kommune"
    number = town.number if rng.random() < 0.5 else ""
    box = (
        f"faktura@{world.company_mail(replace(town, name=stem, contact='Per Post')).split('@')[1]}"
    )
    members = []
    for department in rng.sample(pool().departments, rng.choice((2, 3, 4))):
        sign = rng.choice((" ", ", ", " - "))
        one = replace(
            town,
            name=stem + sign + department,
            number=number or world.number(),
            phone=world.phone(),
        )
        one = replace(one, house=rng.randint(1, 60) if rng.random() < 0.6 else town.house)
        mail = box if rng.random() < 0.6 else world.company_mail(one)
        members.append(replace(one, mail=mail))
    world.family("dept", members)


def numbered(world: World) -> None:
    """Companies told apart by a number in the name; one manager's street, mail and phone."""
    rng = world.rng
    first = world.company(form="AS")
    start = rng.randint(1, 80)
    mail, phone = world.company_mail(first), first.phone
    roman = rng.random() < 0.25
    stem = rng.choice(
        (
            first.street or "Storgata",
            f"{first.name} Utvikling",
            "Sameiet " + (first.street or "Tunet"),
            "Borettslaget " + first.place.title() + "tunet",
        )
    )
    members = []
    for step in range(rng.choice((2, 2, 3))):
        count = ("I", "II", "III", "IV")[step] if roman else str(start + step)
        name = f"{stem} {count}"
        form = "AS" if not stem.startswith(("Sam", "Bor")) else ""
        one = replace(first, name=name, form=form, number=world.number(), mail=mail)
        if rng.random() < 0.4:
            one = replace(one, house=first.house + step)
        one = replace(one, phone=phone if rng.random() < 0.6 else world.phone())
        members.append(one)
    world.family("numbered", members)


def kin(world: World) -> None:
    """Successors, holdings, extended and nearly equal names, sisters with one owner."""
    rng = world.rng
    first = world.company(form="AS")
    near = _near(first.name, world)
    kind, name = rng.choice(
        (
            ("successor", first.name),
            ("successor", first.name),
            ("successor", f"{first.name} {rng.randint(2018, 2025)}"),
            ("successor", f"Nye {first.name}"),
            ("successor", f"{first.name} Drift"),
            ("holding", f"{first.name} Holding"),
            ("holding", f"{first.name} Eiendom"),
            ("holding", f"{first.name} Invest"),
            ("holding", f"{first.name} Gruppen"),
            ("ext", f"{first.name} og {rng.choice(pool().trades)}"),
            ("near", near),
            ("near", near),
            ("sister", f"{first.name.split(' ')[0]} {rng.choice(pool().trades)}"),
        )
    )
    second = replace(first, name=name, number=world.number(), phone=world.phone())
    if rng.random() < {"ext": 0.7, "near": 0.95}.get(kind, 0.0):
        second = world.elsewhere(second)
    else:
        second = replace(second, mail=_next_mail(first, second, kind, world))
        if rng.random() < 0.2:
            second = replace(second, phone=first.phone)
    world.family(kind, [first, second])


def _next_mail(first: Entity, second: Entity, kind: str, world: World) -> str:
    """Draw a mail beside a first firm's: taken over, or a domain of its own."""
    if world.rng.random() < 0.25:
        return first.mail
    if kind == "successor" and second.name == first.name and world.rng.random() < 0.4:
        sign = world.rng.choice(("II", "2", "2020", "2023", "Drift", "Nye"))
        name = f"{sign} {first.name}" if sign == "Nye" else f"{first.name} {sign}"
        return world.company_mail(replace(second, name=name))
    return world.company_mail(second)


def _near(name: str, world: World) -> str:
    """Change one letter of the first word, or take it for another."""
    rng = world.rng
    head, _, rest = name.partition(" ")
    place = rng.randrange(len(head))
    letter = rng.choice("abdefgiklmnoprstu")
    changed = head[:place] + letter + head[place + rng.choice((0, 1)) :]
    return (
        f"{changed.capitalize()} {rest}".strip()
        if changed.lower() != head.lower()
        else f"{head}sen {rest}".strip()
    )


def manager(world: World) -> None:
    """Unrelated companies behind one accountant's mailbox, phone or office."""
    rng = world.rng
    first = world.company()
    accountant = world.company()
    if rng.random() < 0.7:  # the others are an owner's first firm, or a neighbour
        name = f"{world.person().surname.split(' ')[-1]} {rng.choice(KEEPERS)}"
        mailbox = world.company_mail(replace(accountant, name=name))
        accountant = replace(accountant, name=name, form="AS", mail=mailbox)
    mail, phone = accountant.mail, accountant.phone
    shared = rng.choice(("mail", "phone", "office", "all"))
    members = [accountant] if rng.random() < 0.4 else []
    for _ in range(rng.choice((2, 3, 4, 6))):
        one = world.company()
        if shared in {"mail", "all"}:
            one = replace(one, mail=mail)
        if shared in {"phone", "all"}:
            one = replace(one, phone=phone)
        if shared in {"office", "all"}:
            host = accountant if shared == "all" else first
            one = replace(
                one,
                street=host.street,
                house=host.house,
                letter=host.letter,
                code=host.code,
                place=host.place,
            )
        members.append(one)
    world.family("manager", members)


FAMILIES: tuple[tuple[Family, float], ...] = (
    (same_name, 5),
    (household, 3),
    (owner_and_firm, 3),
    (branches, 3),
    (chain, 2),
    (departments, 1.5),
    (numbered, 2),
    (kin, 6),
    (manager, 1),
)
