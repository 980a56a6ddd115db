"""Forms of the screens that join domains."""

from dataclasses import asdict, replace
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from regulars.record.customers.contacts import ContactCard


class ContactForm(forms.Form):
    """Contact data of a customer, as staff edit it."""

    first_name = forms.CharField(label=_("First name"), max_length=200, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=200, required=False)
    company = forms.CharField(label=_("Company"), max_length=200, required=False)
    email = forms.EmailField(label=_("Mail address"), required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, help_text=_("With the country code, such as +44 20 7946 0000")
    )
    street = forms.CharField(label=_("Street"), max_length=300, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    city = forms.CharField(label=_("City"), max_length=200, required=False)
    region = forms.CharField(label=_("Region"), max_length=60, required=False)
    country = forms.RegexField(
        label=_("Country"), regex=r"^[A-Za-z]{2}$", required=False, help_text=_("Two letters, such as GB")
    )
    language = forms.CharField(label=_("Language"), max_length=10, required=False, help_text=_("Such as en-GB"))

    @classmethod
    def of(cls, card: ContactCard) -> "ContactForm":
        """Filled with what is known; a name that came as one word is offered in its two parts."""
        known: dict[str, Any] = asdict(card)
        if card.name and not card.first_name and not card.last_name:
            known["first_name"], _space, known["last_name"] = card.name.rpartition(" ")
        return cls(initial=known)

    def card(self, before: ContactCard) -> ContactCard:
        """What the form says, over what it does not ask for. The one-word name follows its parts."""
        given = {name: value.strip() for name, value in self.cleaned_data.items()}
        given["country"] = given["country"].upper()
        return replace(before, **given, name="")
