"""Forms: form-js schemas (schemaVersion up to 19), read once and used to check every submission on the server."""

from noria.design.forms.access import restricted
from noria.design.forms.form import Form
from noria.design.forms.model import Field, FieldError, FormResult
from noria.design.forms.reader import read_form

__all__ = ["Field", "FieldError", "Form", "FormResult", "read_form", "restricted"]
