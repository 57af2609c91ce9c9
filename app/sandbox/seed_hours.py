"""Make up projects, people and their hours for the world of ``seeds.py``."""

from datetime import date, timedelta
from typing import Any

Record = dict[str, Any]
Paired = list[tuple[Record, Record]]

FIRST_PROJECT = 700_001
DAYS = 42
WORK = (
    "Nettbutikk", "Årsoppgjør", "Ombygging", "Serverflytting", "Rådgivning", "Kampanje", "Befaring",
    "Tilbygg",
)  # fmt: skip
PEOPLE = ("Kari Fjellvåg", "Ola Prøvesen", "Siv Oppdikt", "Jonas Eksempelmo")
COMMENTS = ("Møte med kunden", "Befaring på stedet", "Retting etter tilbakemelding", "Rapport")


def projects(
    paired: Paired, *, count: int, today: date
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """
    Give the projects of both sides.

    Seven in ten are on both sides, one has no customer, the rest are on one side only.
    """
    time: list[Record] = []
    books: list[Record] = []
    start = (today - timedelta(days=180)).isoformat()
    for number in range(count):
        ours, theirs = paired[number % len(paired)]
        again = number // len(WORK)
        name = f"{WORK[number % len(WORK)]}{f' {again + 1}' if again else ''}"
        without = number % 10 == 7
        time.append(
            {
                "id": f"prj_{number + 1}",
                "name": name,
                "number": str(100 + number),
                "customerId": None if without else ours["id"],
                "notes": None,
                "active": True,
                "parentProjectId": None,
                "startDate": start,
                "endDate": None,
                "hourlyRate": "1100" if number % 4 == 1 else None,
            }
        )
        if without:
            continue
        only = number % 10 >= 8
        books.append(
            {
                "id": FIRST_PROJECT + len(books),
                "name": f"{name} i Conta" if only else name,
                "customerId": theirs["id"],
                "startDate": start,
                "isHidden": False,
            }
        )
    return tuple(time), tuple(books)


def employees(count: int) -> tuple[Record, ...]:
    """Give the people who register hours; the first is an administrator."""
    return tuple(
        {
            "id": f"emp_{number + 1}",
            "name": PEOPLE[number % 4] + (f" {number // 4 + 1}" if number >= 4 else ""),
            "email": f"ansatt{number + 1}@fjordogfjell.example",
            "role": "user" if number else "administrator",
            "active": True,
            "employeeNumber": None,
            "groupIds": [],
        }
        for number in range(count)
    )


def hours(
    paired: Paired,
    time_projects: tuple[Record, ...],
    staff: tuple[Record, ...],
    *,
    count: int,
    today: date,
) -> tuple[Record, ...]:
    """Give ``count`` entries spread over the six weeks up to ``today``, none on a weekend."""
    customers = [time for time, _ in paired[:8]]
    return tuple(
        _entry(number, _place(number, customers, time_projects), staff[number % len(staff)])
        | {"date": _weekday(today, number * DAYS // max(count, 1)).isoformat()}
        for number in range(count)
    )


def _place(number: int, customers: list[Record], time_projects: tuple[Record, ...]) -> Record:
    if number == 41:  # one entry belongs to nobody
        return {"customerId": None, "projectId": None}
    if number % 3 == 0:
        return {"customerId": customers[number % len(customers)]["id"], "projectId": None}
    project = time_projects[number % min(len(time_projects), 8)]
    customer = project["customerId"] or customers[0]["id"]
    return {"customerId": customer, "projectId": project["id"], "rate": project["hourlyRate"]}


def _entry(number: int, place: Record, person: Record) -> Record:
    project_rate = place.pop("rate", None)
    rate, source = ("1100", "project") if project_rate else ("950", "company")
    if number % 9 == 4:
        rate, source = "1250.50", "entry"
    unrated = number in {13, 27, 52}
    minutes = (60, 90, 125, 240, 45, 450, 20, 180)[number % 8]
    return {
        "id": f"ent_{number + 1}",
        "employeeId": person["id"],
        "employeeName": person["name"],
        "startTime": "08:00" if number % 2 else None,
        "endTime": _after_eight(minutes) if number % 2 else None,
        "minutes": minutes,
        "breakMinutes": 0,
        **place,
        "comment": COMMENTS[number % 4] if number % 3 else None,
        "invoiceStatus": "not_billable" if number % 10 == 8 else "to_invoice",
        "hourlyRate": None if unrated else rate,
        "rateSource": None if unrated else source,
        "overtimeType": {"id": "ovt_1", "name": "Overtid 50 %"} if number % 11 == 5 else None,
        "availabilityMinutes": None,
        "costs": [{"description": "Parkering", "amount": "120"}] if number == 17 else [],
        "kilometers": "18.5" if number == 22 else None,
        "imageCount": 0,
        "approval": {"approved": number % 2 == 0, "approvedAt": None, "approvedById": None},
        "source": "manual",
        "transfer": None,
    }


def _after_eight(minutes: int) -> str:
    return f"{8 + minutes // 60:02}:{minutes % 60:02}"


def _weekday(today: date, days_ago: int) -> date:
    day = today - timedelta(days=days_ago)
    return day - timedelta(days=max(0, day.weekday() - 4))
