"""Signing in at a SAML 2.0 identity provider, as its web browser SSO profile has it.

`description` reads what the provider says of itself and says what we are, `answers` holds its
answer against that, `providers` has the life of a sign-in. The extra `saml` brings the library.
"""
