"""What a person may ask for: everything that we hold of them, and to be forgotten."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from regulars.foundation import clock
from regulars.foundation.access.gate import requires
from regulars.foundation.access.viewer import viewer_of
from regulars.foundation.pages.formats import format_date
from regulars.foundation.privacy import SUBJECT_DATA
from regulars.record.customers.archive import to_zip
from regulars.record.customers.operations.erasure import erase_customer, export_subject
from regulars.web.queries.customer import find_known, read_customer

WORD = "erase"


@requires("customers.erase", post="customers.erase")
def privacy(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET says what happens; POST forgets, once the word was typed."""
    viewer = viewer_of(request)
    detail = read_customer(public_id, viewer)
    is_wrong = False
    if request.method == "POST":
        is_wrong = request.POST.get("word", "").strip().lower() != WORD
        if not is_wrong or detail.erased_at:
            erase_customer(detail.id, viewer, clock.now())
            messages.success(request, gettext("Forgotten. Orders and totals stay under a bare number."))
            return redirect("customer", public_id=detail.public_id)
    kept = sorted({entry.keeps for _, entry in SUBJECT_DATA.items() if entry.keeps})
    context = {
        "title": gettext("Privacy of %s") % detail.name,
        "customer": detail,
        "kept": kept,
        "word": WORD,
        "is_wrong": is_wrong,
        "erased_on": format_date(detail.erased_at) if detail.erased_at else "",
        "sees_all": viewer.store_ids is None,
    }
    return render(request, "web/customer_privacy.html", context, status=400 if is_wrong else 200)


@requires(post="customers.erase")
def export(request: HttpRequest, public_id: str) -> HttpResponse:
    """The ZIP. A POST, for it is written into the audit chain."""
    viewer = viewer_of(request)
    subject = export_subject(find_known(public_id, viewer).pk, viewer, clock.now())
    headers = {"Content-Disposition": f'attachment; filename="{subject.customer}.zip"'}
    return HttpResponse(to_zip(subject), content_type="application/zip", headers=headers)
