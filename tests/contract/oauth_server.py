"""An OAuth 2 server on loopback, of Authlib's own server parts, with a CRM behind its tokens.

PKCE is demanded, refresh tokens are rotated and a used one is void, scopes are narrowed on
refresh, revocation is RFC 7009's. `wide` lets it give all scopes whatever was asked.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError, TokenMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from schemas.connectors import OAuthSettings

SCOPES = ("crm.read", "crm.write")
TOOLS = {"crm.find_account": ("crm.read",), "crm.update_deal": ("crm.read", "crm.write")}
CLIENT_SECRET = "a-client-secret-for-tests"


class Client(ClientMixin):
    """The one client; confidential where `secret` is set."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def get_client_id(self) -> str:
        return "anyteam"

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(one for one in (scope or "").split() if one in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.startswith("http://127.0.0.1:")

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


class Token(TokenMixin):
    """A pair of tokens as issued."""

    def __init__(self, issued: dict[str, Any]) -> None:
        self.access, self.refresh = issued["access_token"], issued.get("refresh_token", "")
        self.scope = issued.get("scope", "")
        self.refreshed = self.revoked = self.ended = False

    def check_client(self, client: ClientMixin) -> bool:
        return True

    def get_scope(self) -> str:
        return str(self.scope)

    def get_expires_in(self) -> int:
        return 3600

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return self.ended

    def get_user(self) -> str:
        return "ann"

    def get_client(self) -> None:
        return None


class Code:
    """An authorization code, used once."""

    def __init__(self, code: str, asked: Any) -> None:
        self.code, self.redirect_uri, self.scope = code, asked.redirect_uri, asked.scope
        self.code_challenge = asked.data.get("code_challenge")
        self.code_challenge_method = asked.data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)


class OAuthServer:
    """State and knobs. `used` are the scopes of each token that the CRM was reached with."""

    def __init__(self, *, secret: str = "", wide: bool = False) -> None:
        self.client, self.wide = Client(secret), wide
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []
        self.used: list[str] = []
        self.denies = False
        self.url = ""

    def settings(self, **changes: Any) -> OAuthSettings:
        """The settings by which our side knows this server."""
        given: dict[str, Any] = {
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "revoke_url": f"{self.url}/revoke",
            "client_id": "anyteam",
            "scopes": SCOPES,
            "tools": TOOLS,
        }
        return OAuthSettings(**{**given, **changes})

    def live(self) -> list[Token]:
        """The tokens that still open something."""
        return [token for token in self.tokens if not token.ended]

    def find(self, text: str) -> Token | None:
        """The token of that text, access or refresh."""
        return next(
            (one for one in self.tokens if text and text in (one.access, one.refresh)), None
        )

    def app(self) -> Flask:
        """The server as a WSGI application."""
        state, app = self, Flask(__name__)
        app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True

        class ByCode(AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic"]

            def save_authorization_code(self, code: str, asked: Any) -> None:
                state.codes[code] = Code(code, asked.payload)

            def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:
                return state.codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del state.codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> str:
                return "ann"

        class ByRefresh(RefreshTokenGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic"]
            INCLUDE_NEW_REFRESH_TOKEN = True

            def authenticate_refresh_token(self, refresh_token: str) -> Token:
                token = state.find(refresh_token)
                if token is None or token.refresh != refresh_token or token.revoked:
                    raise InvalidGrantError()
                if token.refreshed:
                    # A rotated token that comes again was stolen: RFC 9700 section 4.14.2.
                    for one in state.tokens:
                        one.revoked = one.ended = True
                    raise InvalidGrantError()
                return token

            def authenticate_user(self, refresh_token: Token) -> str:
                return "ann"

            def issue_token(self, user: str, refresh_token: Token) -> Any:
                scope = " ".join(SCOPES) if state.wide else self.request.payload.scope
                return self.generate_token(user=user, scope=scope, include_refresh_token=True)

            def revoke_old_credential(self, refresh_token: Token) -> None:
                refresh_token.refreshed = True

        class Revoke(RevocationEndpoint):
            CLIENT_AUTH_METHODS = ["none", "client_secret_basic"]

            def query_token(self, token: str, token_type_hint: str) -> Token | None:
                return state.find(token)

            def revoke_token(self, token: Token, request: Any) -> None:
                if request.form["token"] == token.access:
                    token.ended = True
                else:
                    for one in state.tokens:
                        one.revoked = one.ended = True

        class Validator(BearerTokenValidator):
            def authenticate_token(self, token_string: str) -> Token | None:
                token = state.find(token_string)
                return token if token is not None and token.access == token_string else None

        server = AuthorizationServer(
            app,
            query_client=lambda name: state.client if name == "anyteam" else None,
            save_token=lambda token, _: state.tokens.append(Token(token)),
        )
        server.register_grant(ByCode, [CodeChallenge(required=True)])
        server.register_grant(ByRefresh)
        server.register_endpoint(Revoke)
        protected = ResourceProtector()
        protected.register_token_validator(Validator())

        @app.get("/authorize")
        def authorize() -> Any:
            grant = server.get_consent_grant(end_user="ann")
            return server.create_authorization_response(
                grant_user=None if state.denies else "ann", grant=grant
            )

        @app.post("/token")
        def token() -> Any:
            return server.create_token_response()

        @app.post("/revoke")
        def revoke() -> Any:
            return server.create_endpoint_response("revocation")

        @app.get("/crm/accounts")
        @protected("crm.read")
        def accounts() -> Response:
            state.used.append(current_token.get_scope())
            account = {"id": "a-1", "name": request.args["name"], "domain": "boeing.example"}
            return jsonify({"accounts": [account]})

        return app


@contextmanager
def running(server: OAuthServer) -> Iterator[OAuthServer]:
    """The server on a port of loopback that the system picks."""
    http = make_server("localhost", 0, server.app(), threaded=True)
    server.url = f"http://localhost:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
