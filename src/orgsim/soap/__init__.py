"""The one SOAP call many clients still make: login() of the partner and the enterprise API."""
