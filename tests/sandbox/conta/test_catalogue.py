import httpx

OWN = "/invoice/organizations/1001"
PRODUCT = {"name": "Time", "vatCode": "output.high", "bookkeepingAccountNo": "3000"}


async def test_a_product_has_other_names_in_the_list(conta: httpx.AsyncClient) -> None:
    """Facts 7: the hit has ``priceExVat`` and ``priceIncVat``; there is no unit field."""
    made = (await conta.post(f"{OWN}/products", json=PRODUCT | {"price": 99.9})).json()

    hit = (await conta.get(f"{OWN}/products")).json()["hits"][0]
    read = (await conta.get(f"{OWN}/products/{made['id']}")).json()

    assert read == {"id": made["id"], **PRODUCT, "price": 99.9, "isActive": True}
    assert (hit["priceExVat"], hit["vat"], hit["priceIncVat"]) == (99.9, 25, 124.875)


async def test_products_take_the_long_vat_code_and_lines_the_short(
    conta: httpx.AsyncClient,
) -> None:
    """Facts 6: never send ``output.high`` on a line, nor ``high`` on a product."""
    product = await conta.post(f"{OWN}/products", json=PRODUCT | {"vatCode": "high"})
    line = {"description": "x", "price": 1, "quantity": 1, "discount": 0, "vatCode": "output.high"}
    body = {"registrationSource": "CONTA", "invoiceDraftLines": [line]}
    draft = await conta.post(f"{OWN}/invoice-drafts", json=body)

    assert (product.status_code, draft.status_code) == (409, 409)


async def test_a_vat_type_is_read_by_id_and_never_listed(conta: httpx.AsyncClient) -> None:
    """Facts 6: ``/accounting/vat/{id}`` reads one; there is no list."""
    first = await conta.get("/accounting/vat/1")
    unknown = await conta.get("/accounting/vat/99")
    listed = await conta.get("/accounting/vat")

    assert (first.json()["code"], first.json()["taxRate"]) == ("output.high", 25)
    assert (unknown.status_code, listed.status_code) == (404, 404)
