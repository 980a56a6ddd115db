"""The fields that a column can be mapped to, and the headers by which they are known in several languages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.connections.files.layouts.base import Kind
from regulars.connections.files.sniff import folded


@dataclass(frozen=True)
class Field:
    """One field: its label for a person, and headers that mean it (folded; the first match wins)."""

    label: str
    synonyms: tuple[str, ...]


def _field(label: str, synonyms: str = "") -> Field:
    """``synonyms`` separated by semicolons."""
    return Field(label, tuple(folded(s) for s in (label, *synonyms.split(";")) if s.strip()))


_PERSON = {
    "email": _field(
        "Email",
        "e-mail; email address; mail; customer email; e-mail-adresse; adresse e-mail; courriel; correo; "
        "correo electrónico; e-mailadres; indirizzo email; billing email",
    ),
    "customer_number": _field(
        "Customer number",
        "customer id; customerid; customer; client id; kundennummer; kunden-nr; numéro client; n° client; "
        "número de cliente; klantnummer; codice cliente; user id",
    ),
    "name": _field(
        "Name",
        "customer name; full name; kunde; kundenname; nom complet; nombre completo; billing name; naam",
    ),
    "first_name": _field(
        "First name",
        "firstname; given name; vorname; prénom; nombre; voornaam; nome; billing first name",
    ),
    "last_name": _field(
        "Last name",
        "lastname; surname; family name; nachname; nom; nom de famille; apellido; apellidos; achternaam; "
        "cognome; billing last name",
    ),
    "phone": _field(
        "Phone",
        "phone number; telephone; mobile; telefon; téléphone; teléfono; telefoon; telefono; billing phone",
    ),
    "company": _field(
        "Company",
        "firma; société; empresa; bedrijf; azienda; billing company",
    ),
    "street": _field(
        "Street",
        "address; address 1; address1; address line 1; straße; strasse; adresse; rue; dirección; straat; "
        "indirizzo; billing address 1",
    ),
    "city": _field(
        "City",
        "town; ort; stadt; ville; ciudad; plaats; città; billing city",
    ),
    "postal_code": _field(
        "Postal code",
        "zip; zip code; postcode; plz; postleitzahl; code postal; código postal; cap; billing postcode",
    ),
    "region": _field(
        "Region",
        "state; province; county; bundesland; région; provincia; billing state",
    ),
    "country": _field(
        "Country",
        "country code; land; pays; país; paese; billing country",
    ),
    "language": _field(
        "Language",
        "locale; sprache; langue; idioma; taal; lingua",
    ),
}
_MONEY = {
    "currency": _field(
        "Currency",
        "currency code; währung; devise; moneda; valuta",
    )
}

FIELDS: dict[Kind, dict[str, Field]] = {
    Kind.ORDERS: {
        "number": _field(
            "Order number",
            "order; order id; orderid; order no; invoice; invoice number; invoiceno; bestellnummer; bestell-nr; "
            "auftragsnummer; rechnungsnummer; numéro de commande; n° commande; commande; número de pedido; "
            "pedido; bestelnummer; ordernummer; numero ordine; ordine; transaction id",
        ),
        "placed_at": _field(
            "Date placed",
            "date; order date; created at; created; placed at; invoice date; datum; bestelldatum; "
            "date de commande; fecha; fecha de pedido; besteldatum; data; data ordine; timestamp; date created",
        ),
        "sku": _field(
            "SKU",
            "stock code; stockcode; product code; item code; article number; artikelnummer; artikel-nr; "
            "référence; referencia; artikelnr; codice; lineitem sku; product sku",
        ),
        "title": _field(
            "Product",
            "product name; description; item; item name; title; artikel; bezeichnung; produkt; produit; "
            "désignation; producto; descripción; prodotto; descrizione; omschrijving; lineitem name",
        ),
        "product_key": _field(
            "Product id",
            "productid; produkt-id; id produit; handle",
        ),
        "quantity": _field(
            "Quantity",
            "qty; quant; units; menge; anzahl; quantité; cantidad; aantal; quantità; lineitem quantity",
        ),
        "unit_price": _field(
            "Unit price",
            "price; item price; price per unit; preis; einzelpreis; stückpreis; prix; prix unitaire; precio; "
            "precio unitario; prijs; prezzo; prezzo unitario; lineitem price",
        ),
        "line_discount": _field(
            "Line discount",
            "item discount; lineitem discount",
        ),
        "line_tax": _field(
            "Line tax",
            "item tax",
        ),
        "total": _field(
            "Order total",
            "total; total amount; amount; grand total; summe; gesamtbetrag; gesamtsumme; betrag; montant; "
            "total ttc; importe; totaal; totale; revenue; umsatz",
        ),
        "shipping": _field(
            "Shipping",
            "shipping cost; delivery; versand; versandkosten; frais de port; livraison; envío; verzendkosten; "
            "spedizione",
        ),
        "tax": _field(
            "Tax",
            "taxes; vat; mwst; ust; steuer; tva; iva; btw",
        ),
        "discount": _field(
            "Discount",
            "discount amount; rabatt; remise; descuento; korting; sconto",
        ),
        "discount_codes": _field(
            "Discount code",
            "coupon; coupon code; gutschein; gutscheincode; code promo; cupón",
        ),
        "refunded": _field(
            "Refunded amount",
            "refund; refunded; erstattet; remboursé; reembolso; rimborso",
        ),
        "status": _field(
            "Order status",
            "status; bestellstatus; statut; estado; stato",
        ),
        "payment_status": _field(
            "Payment status",
            "financial status; zahlungsstatus; statut de paiement",
        ),
        "fulfilment_status": _field(
            "Fulfilment status",
            "fulfillment status; shipping status; versandstatus",
        ),
        "cancelled_at": _field(
            "Cancelled at",
            "canceled at; storniert am",
        ),
        "channel": _field(
            "Channel",
            "sales channel; source; kanal; canal",
        ),
        "payment_method": _field(
            "Payment method",
            "gateway; zahlungsart; mode de paiement; método de pago",
        ),
        "remarks": _field(
            "Remarks",
            "notes; note; customer note; bemerkung; anmerkung; kommentar; comment",
        ),
        **_MONEY,
        **_PERSON,
    },
    Kind.CUSTOMERS: {
        **_PERSON,
        "seen_at": _field(
            "Customer since",
            "created at; registered; registration date; date created; sign up date; kunde seit; date d'inscription",
        ),
        "tags": _field(
            "Tags",
            "tag; schlagworte; étiquettes; etiquetas; labels",
        ),
        "note": _field(
            "Note",
            "notes; bemerkung; notiz; remarques; notas",
        ),
        "accepts_email": _field(
            "Accepts email marketing",
            "accepts marketing; newsletter; email consent; opt in",
        ),
        "accepts_sms": _field(
            "Accepts SMS marketing",
            "sms consent",
        ),
        "consented_at": _field(
            "Consented at",
            "consent timestamp; opt in time",
        ),
    },
    Kind.PRODUCTS: {
        "key": _field(
            "Product key",
            "handle; product id; id; product code; produkt-id; artikelnummer; référence produit",
        ),
        "sku": _field(
            "SKU",
            "variant sku; stock code; item code; artikel-nr; référence; referencia",
        ),
        "title": _field(
            "Title",
            "name; product; product name; description; bezeichnung; produkt; désignation; producto; titel; nom; "
            "nombre; prodotto",
        ),
        "variant_title": _field(
            "Variant",
            "variant title; option; option1 value; variante; size",
        ),
        "brand_name": _field(
            "Brand",
            "vendor; manufacturer; marke; hersteller; marque; marca; merk",
        ),
        "barcode": _field(
            "Barcode",
            "ean; gtin; upc; variant barcode; isbn",
        ),
        "price": _field(
            "Price",
            "regular price; list price; unit price; preis; prix; precio; prijs; prezzo; variant price",
        ),
        "compare_at": _field(
            "Compare at price",
            "was price; rrp; uvp; variant compare at price",
        ),
        "cost": _field(
            "Cost",
            "cost per item; purchase price; einkaufspreis; ek; prix d'achat; coste; inkoopprijs",
        ),
        "on_hand": _field(
            "Stock",
            "inventory; on hand; quantity; qty; bestand; lagerbestand; stock quantity; existencias; voorraad; "
            "variant inventory qty",
        ),
        "category": _field(
            "Category",
            "categories; type; product type; product category; kategorie; catégorie; categoría; categorie; categoria",
        ),
        "status": _field(
            "Status",
            "published; statut; estado",
        ),
        "url": _field(
            "URL",
            "link; product url",
        ),
        "image_url": _field(
            "Image",
            "image src; images; image url; bild",
        ),
        **_MONEY,
    },
    Kind.LIST: {name: _PERSON[name] for name in ("email", "phone", "customer_number", "country")},
    Kind.CONSENT: {
        "email": _PERSON["email"],
        "phone": _PERSON["phone"],
        "state": _field(
            "Consent",
            "status; subscribed; email marketing consent; consent status; opt in; zustimmung; statut",
        ),
        "occurred_at": _field(
            "When",
            "date; timestamp; consented at; date added; optin time; unsub time; datum; fecha",
        ),
        "reason": _field(
            "Reason",
            "suppression reason; unsub reason; grund; motif",
        ),
        "method": _field(
            "Method",
            "how; consent method; source; methode; méthode; método",
        ),
        "topic": _field(
            "Topic",
            "list; thema",
        ),
    },
}


def guess_mapping(headers: Sequence[str], kind: Kind) -> dict[str, str]:
    """Header of each field that a header plainly means; each header is used once, and the earlier synonym wins."""
    there = {folded(header): header for header in reversed(headers) if header.strip()}
    found: dict[str, str] = {}
    ranked = [(rank, name, word) for name, field in FIELDS[kind].items() for rank, word in enumerate(field.synonyms)]
    for _, name, word in sorted(ranked, key=lambda item: item[0]):
        if name not in found and word in there and there[word] not in found.values():
            found[name] = there[word]
    return {name: found[name] for name in FIELDS[kind] if name in found}
