/* The token matrix: what a token says, and with what it is signed. */
#include "jwt/jwt.h"

#include <stdlib.h>

#include "base/arena.h"
#include "jwt_mint.h"
#include "tap.h"

#define NOW_S 1800000000
#define J(...) #__VA_ARGS__
#define USER "7f1f40ee-1c7a-4f1a-9d1c-0a3f1d3c5b11"
#define FINE                                                                                       \
    J({                                                                                            \
        "sub" : "7f1f40ee-1c7a-4f1a-9d1c-0a3f1d3c5b11",                                            \
        "role" : "authenticated",                                                                  \
        "exp" : 1800003600                                                                         \
    })

/* Which keys the verifier has. */
enum has { ALL, SECRET_ONLY, PUBLIC_ONLY, SETS };

struct row {
    const char *name;
    enum mint_with with;
    const char *header; /* NULL: the honest one */
    const char *payload;
    enum jwt_verdict verdict;
    enum has has;
    const char *audience, *issuer;
};

/* clang-format off */
static const struct row signatures[] = {
    {.name = "HS256 by the secret", MINT_SECRET_HS256, NULL, FINE, JWT_GOOD},
    {.name = "HS256 by the secret alone", MINT_SECRET_HS256, NULL, FINE, JWT_GOOD, SECRET_ONLY},
    {.name = "HS256 by a key of the file", MINT_OCT_HS256, NULL, FINE, JWT_GOOD},
    {.name = "RS256", MINT_RSA_RS256, NULL, FINE, JWT_GOOD},
    {.name = "RS256 without a secret", MINT_RSA_RS256, NULL, FINE, JWT_GOOD, PUBLIC_ONLY},
    {.name = "ES256", MINT_EC_ES256, NULL, FINE, JWT_GOOD},
    {.name = "ES256 without a secret", MINT_EC_ES256, NULL, FINE, JWT_GOOD, PUBLIC_ONLY},
    {.name = "HS256 of a file's key without kid", MINT_OCT_HS256, J({"alg":"HS256"}), FINE, JWT_GOOD},
    {.name = "RS256 without kid", MINT_RSA_RS256, J({"alg":"RS256"}), FINE, JWT_GOOD},
    {.name = "ES256 without kid", MINT_EC_ES256, J({"alg":"ES256"}), FINE, JWT_GOOD},
    {.name = "HS256 by the secret with a kid nobody knows", MINT_SECRET_HS256, J({"alg":"HS256","kid":"Xk3/legacy"}), FINE, JWT_GOOD},
    {.name = "HS256 by the secret with an empty kid", MINT_SECRET_HS256, J({"alg":"HS256","kid":""}), FINE, JWT_GOOD},
    {.name = "HS256 by the secret with white space in the header", MINT_SECRET_HS256, " { \"alg\" :\r\n\t\"HS256\" } ", FINE, JWT_GOOD},

    {.name = "HS256 by an unknown secret", MINT_OTHER_HS256, NULL, FINE, JWT_BAD_SIGNATURE},
    {.name = "RS256 by an unknown key", MINT_OTHER_RS256, NULL, FINE, JWT_BAD_SIGNATURE},
    {.name = "RS256 by an unknown key without kid", MINT_OTHER_RS256, J({"alg":"RS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "ES256 by an unknown key", MINT_OTHER_ES256, NULL, FINE, JWT_BAD_SIGNATURE},
    {.name = "ES256 by an unknown key without kid", MINT_OTHER_ES256, J({"alg":"ES256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the secret with the kid of another oct key", MINT_SECRET_HS256, J({"alg":"HS256","kid":"oct-1"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by a file's key with an unknown kid", MINT_OCT_HS256, J({"alg":"HS256","kid":"oct-2"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the secret with the kid of the RSA key", MINT_SECRET_HS256, J({"alg":"HS256","kid":"rsa-1"}), FINE, JWT_NO_KEY},
    {.name = "HS256 by the secret with the kid of the EC key", MINT_SECRET_HS256, J({"alg":"HS256","kid":"ec-1"}), FINE, JWT_NO_KEY},
    {.name = "HS256 when there is neither secret nor oct key", MINT_SECRET_HS256, NULL, FINE, JWT_NO_KEY, PUBLIC_ONLY},
    {.name = "RS256 when there is only a secret", MINT_RSA_RS256, NULL, FINE, JWT_NO_KEY, SECRET_ONLY},
    {.name = "ES256 when there is only a secret", MINT_EC_ES256, NULL, FINE, JWT_NO_KEY, SECRET_ONLY},
    {.name = "RS256 with an unknown kid", MINT_RSA_RS256, J({"alg":"RS256","kid":"rsa-2"}), FINE, JWT_NO_KEY},
    {.name = "RS256 with the kid of the EC key", MINT_RSA_RS256, J({"alg":"RS256","kid":"ec-1"}), FINE, JWT_NO_KEY},
    {.name = "RS256 with the kid of the oct key", MINT_RSA_RS256, J({"alg":"RS256","kid":"oct-1"}), FINE, JWT_NO_KEY},
    {.name = "ES256 with an unknown kid", MINT_EC_ES256, J({"alg":"ES256","kid":"ec-2"}), FINE, JWT_NO_KEY},
    {.name = "ES256 with the kid of the RSA key", MINT_EC_ES256, J({"alg":"ES256","kid":"rsa-1"}), FINE, JWT_NO_KEY},
    {.name = "ES256 with a kid in another case", MINT_EC_ES256, J({"alg":"ES256","kid":"EC-1"}), FINE, JWT_NO_KEY},
    {.name = "ES256 with a kid and a blank", MINT_EC_ES256, J({"alg":"ES256","kid":"ec-1 "}), FINE, JWT_NO_KEY},
    {.name = "ES256 with an empty kid", MINT_EC_ES256, J({"alg":"ES256","kid":""}), FINE, JWT_NO_KEY},
    {.name = "kid is a path", MINT_EC_ES256, J({"alg":"ES256","kid":"../../dev/null"}), FINE, JWT_NO_KEY},
};

static const struct row confusions[] = {
    {.name = "HS256 by the RSA key's PEM", MINT_HMAC_RSA_PEM, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the RSA key's PEM, with its kid", MINT_HMAC_RSA_PEM, NULL, FINE, JWT_NO_KEY},
    {.name = "HS256 by the RSA key's PEM, no secret", MINT_HMAC_RSA_PEM, J({"alg":"HS256"}), FINE, JWT_NO_KEY, PUBLIC_ONLY},
    {.name = "HS256 by the RSA key's DER", MINT_HMAC_RSA_DER, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the RSA key's DER, with its kid", MINT_HMAC_RSA_DER, J({"alg":"HS256","kid":"rsa-1"}), FINE, JWT_NO_KEY},
    {.name = "HS256 by the RSA key's n as text", MINT_HMAC_RSA_N, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the RSA key's n as text, with its kid", MINT_HMAC_RSA_N, J({"alg":"HS256","kid":"rsa-1"}), FINE, JWT_NO_KEY, PUBLIC_ONLY},
    {.name = "HS256 by the RSA key's n as bytes", MINT_HMAC_RSA_N_BYTES, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the EC key's PEM", MINT_HMAC_EC_PEM, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the EC key's PEM, with its kid", MINT_HMAC_EC_PEM, J({"alg":"HS256","kid":"ec-1"}), FINE, JWT_NO_KEY},
    {.name = "HS256 by the EC key's DER", MINT_HMAC_EC_DER, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the EC key's x", MINT_HMAC_EC_X, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the EC key's point", MINT_HMAC_EC_POINT, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by the EC key's point, with its kid", MINT_HMAC_EC_POINT, J({"alg":"HS256","kid":"ec-1"}), FINE, JWT_NO_KEY, PUBLIC_ONLY},
    {.name = "HS256 by an empty secret", MINT_HMAC_EMPTY, NULL, FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 by an empty secret, none known", MINT_HMAC_EMPTY, NULL, FINE, JWT_NO_KEY, PUBLIC_ONLY},
    {.name = "HS256 by the name of a key", MINT_HMAC_KID, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "RS256 in the header, signed by the EC key", MINT_EC_ES256, J({"alg":"RS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "RS256 in the header, kid and signature of the EC key", MINT_EC_ES256, J({"alg":"RS256","kid":"ec-1"}), FINE, JWT_NO_KEY},
    {.name = "RS256 in the header, signed by the secret", MINT_SECRET_HS256, J({"alg":"RS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "ES256 in the header, signed by the RSA key", MINT_RSA_RS256, J({"alg":"ES256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "ES256 in the header, signed by the secret", MINT_SECRET_HS256, J({"alg":"ES256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 in the header, signed by the RSA key", MINT_RSA_RS256, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 in the header, signed by the EC key", MINT_EC_ES256, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "PS256 by the RSA key", MINT_RSA_PS256, NULL, FINE, JWT_NO_KEY},
    {.name = "RS256 in the header, PSS in the signature", MINT_RSA_PS256, J({"alg":"RS256","kid":"rsa-1"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "RS512 by the RSA key", MINT_RSA_RS512, NULL, FINE, JWT_NO_KEY},
    {.name = "RS256 in the header, SHA-512 in the signature", MINT_RSA_RS512, J({"alg":"RS256","kid":"rsa-1"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "ES384", MINT_EC384_ES384, NULL, FINE, JWT_NO_KEY},
    {.name = "ES256 in the header, ES384 in the signature", MINT_EC384_ES384, J({"alg":"ES256","kid":"ec-1"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "ES256 as DER", MINT_EC_DER, NULL, FINE, JWT_BAD_SIGNATURE},
    {.name = "EdDSA", MINT_ED25519, NULL, FINE, JWT_NO_KEY},
    {.name = "ES256 in the header, EdDSA in the signature", MINT_ED25519, J({"alg":"ES256","kid":"ec-1"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS384 by the secret", MINT_SECRET_HS384, NULL, FINE, JWT_NO_KEY},
    {.name = "HS512 by the secret", MINT_SECRET_HS512, NULL, FINE, JWT_NO_KEY},
    {.name = "HS256 in the header, HS384 in the signature", MINT_SECRET_HS384, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "HS256 in the header, HS512 in the signature", MINT_SECRET_HS512, J({"alg":"HS256"}), FINE, JWT_BAD_SIGNATURE},
};

static const struct row headers[] = {
    {.name = "alg none", MINT_SECRET_HS256, J({"alg":"none"}), FINE, JWT_NO_KEY},
    {.name = "alg None", MINT_SECRET_HS256, J({"alg":"None"}), FINE, JWT_NO_KEY},
    {.name = "alg NONE", MINT_SECRET_HS256, J({"alg":"NONE"}), FINE, JWT_NO_KEY},
    {.name = "alg nOnE", MINT_SECRET_HS256, J({"alg":"nOnE"}), FINE, JWT_NO_KEY},
    {.name = "alg none without a signature", MINT_NOTHING, NULL, FINE, JWT_MALFORMED},
    {.name = "HS256 without a signature", MINT_NOTHING, J({"alg":"HS256"}), FINE, JWT_MALFORMED},
    {.name = "alg empty", MINT_SECRET_HS256, J({"alg":""}), FINE, JWT_NO_KEY},
    {.name = "alg missing", MINT_SECRET_HS256, J({"typ":"JWT"}), FINE, JWT_MALFORMED},
    {.name = "alg null", MINT_SECRET_HS256, J({"alg":null}), FINE, JWT_MALFORMED},
    {.name = "alg a number", MINT_SECRET_HS256, J({"alg":256}), FINE, JWT_MALFORMED},
    {.name = "alg an array", MINT_SECRET_HS256, J({"alg":["HS256"]}), FINE, JWT_MALFORMED},
    {.name = "alg in small letters", MINT_SECRET_HS256, J({"alg":"hs256"}), FINE, JWT_NO_KEY},
    {.name = "alg with a blank", MINT_SECRET_HS256, J({"alg":"HS256 "}), FINE, JWT_NO_KEY},
    {.name = "alg with a NUL behind", MINT_SECRET_HS256, "{\"alg\":\"HS256\\u0000\"}", FINE, JWT_MALFORMED},
    {.name = "Alg instead of alg", MINT_SECRET_HS256, J({"Alg":"HS256"}), FINE, JWT_MALFORMED},
    {.name = "alg twice", MINT_SECRET_HS256, J({"alg":"HS256","alg":"HS256"}), FINE, JWT_MALFORMED},
    {.name = "alg twice, none first", MINT_SECRET_HS256, J({"alg":"none","alg":"HS256"}), FINE, JWT_MALFORMED},
    {.name = "alg twice, once escaped", MINT_SECRET_HS256, "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", FINE, JWT_MALFORMED},
    {.name = "kid twice", MINT_EC_ES256, J({"alg":"ES256","kid":"ec-1","kid":"ec-1"}), FINE, JWT_MALFORMED},
    {.name = "a name twice further down in the header", MINT_SECRET_HS256, J({"alg":"HS256","x":[{"a":1,"a":1}]}), FINE, JWT_MALFORMED},
    {.name = "kid a number", MINT_SECRET_HS256, J({"alg":"HS256","kid":1}), FINE, JWT_MALFORMED},
    {.name = "kid null", MINT_SECRET_HS256, J({"alg":"HS256","kid":null}), FINE, JWT_MALFORMED},
    {.name = "kid an array", MINT_EC_ES256, J({"alg":"ES256","kid":["ec-1"]}), FINE, JWT_MALFORMED},
    {.name = "kid with a NUL", MINT_EC_ES256, "{\"alg\":\"ES256\",\"kid\":\"ec-1\\u0000x\"}", FINE, JWT_MALFORMED},
    {.name = "crit that we do not understand", MINT_SECRET_HS256, J({"alg":"HS256","crit":["exp"],"exp":1}), FINE, JWT_MALFORMED},
    {.name = "crit empty", MINT_SECRET_HS256, J({"alg":"HS256","crit":[]}), FINE, JWT_MALFORMED},
    {.name = "crit null", MINT_SECRET_HS256, J({"alg":"HS256","crit":null}), FINE, JWT_MALFORMED},
    {.name = "b64 false, critical", MINT_SECRET_HS256, J({"alg":"HS256","b64":false,"crit":["b64"]}), FINE, JWT_MALFORMED},
    {.name = "b64 false", MINT_SECRET_HS256, J({"alg":"HS256","b64":false}), FINE, JWT_MALFORMED},
    {.name = "b64 true", MINT_SECRET_HS256, J({"alg":"HS256","b64":true}), FINE, JWT_MALFORMED},
    {.name = "typ of any kind", MINT_SECRET_HS256, J({"typ":"at+jwt","alg":"HS256"}), FINE, JWT_GOOD},
    {.name = "a key of its own (jwk, jku) is not looked at", MINT_OTHER_ES256,
     J({"alg":"ES256","jku":"https://evil.example/jwks","jwk":{"kty":"EC"},"x5u":"https://evil.example/x"}), FINE, JWT_BAD_SIGNATURE},
    {.name = "header an array", MINT_SECRET_HS256, J(["alg","HS256"]), FINE, JWT_MALFORMED},
    {.name = "header a text", MINT_SECRET_HS256, J("HS256"), FINE, JWT_MALFORMED},
    {.name = "header null", MINT_SECRET_HS256, J(null), FINE, JWT_MALFORMED},
    {.name = "header no JSON", MINT_SECRET_HS256, "alg=HS256", FINE, JWT_MALFORMED},
    {.name = "header with something behind", MINT_SECRET_HS256, J({"alg":"HS256"}{}), FINE, JWT_MALFORMED},
    {.name = "header with single quotes", MINT_SECRET_HS256, "{'alg':'HS256'}", FINE, JWT_MALFORMED},
    {.name = "header with a comment", MINT_SECRET_HS256, "{\"alg\":\"HS256\"/**/}", FINE, JWT_MALFORMED},
    {.name = "header with a comma too many", MINT_SECRET_HS256, "{\"alg\":\"HS256\",}", FINE, JWT_MALFORMED},
    {.name = "header with a byte order mark", MINT_SECRET_HS256, "\xef\xbb\xbf{\"alg\":\"HS256\"}", FINE, JWT_MALFORMED},
    {.name = "header not UTF-8", MINT_SECRET_HS256, "{\"alg\":\"HS256\",\"x\":\"\xff\"}", FINE, JWT_MALFORMED},
    {.name = "a bad header before a bad signature", MINT_OTHER_HS256, J({"alg":"HS256","crit":["x"]}), FINE, JWT_MALFORMED},
};

static const struct row times[] = {
    {.name = "exp to come", MINT_SECRET_HS256, NULL, J({"exp":1800000001}), JWT_GOOD},
    {.name = "exp now", MINT_SECRET_HS256, NULL, J({"exp":1800000000}), JWT_GOOD},
    {.name = "exp within the skew", MINT_SECRET_HS256, NULL, J({"exp":1799999971}), JWT_GOOD},
    {.name = "exp at the end of the skew", MINT_SECRET_HS256, NULL, J({"exp":1799999970}), JWT_EXPIRED},
    {.name = "exp long ago", MINT_SECRET_HS256, NULL, J({"exp":1}), JWT_EXPIRED},
    {.name = "exp 0", MINT_SECRET_HS256, NULL, J({"exp":0}), JWT_EXPIRED},
    {.name = "exp negative", MINT_SECRET_HS256, NULL, J({"exp":-1800003600}), JWT_EXPIRED},
    {.name = "exp a fraction within the skew", MINT_SECRET_HS256, NULL, J({"exp":1799999970.5}), JWT_GOOD},
    {.name = "exp a fraction outside", MINT_SECRET_HS256, NULL, J({"exp":1799999969.5}), JWT_EXPIRED},
    {.name = "exp with an exponent", MINT_SECRET_HS256, NULL, J({"exp":1.8000036e9}), JWT_GOOD},
    {.name = "exp in milliseconds", MINT_SECRET_HS256, NULL, J({"exp":1800003600000}), JWT_GOOD},
    {.name = "exp huge", MINT_SECRET_HS256, NULL, J({"exp":9223372036854775808}), JWT_GOOD},
    {.name = "exp as large as can be", MINT_SECRET_HS256, NULL, J({"exp":1e308}), JWT_GOOD},
    {.name = "exp too large for any number", MINT_SECRET_HS256, NULL, J({"exp":1e999}), JWT_MALFORMED},
    {.name = "exp minus infinity", MINT_SECRET_HS256, NULL, J({"exp":-1e999}), JWT_MALFORMED},
    {.name = "exp NaN", MINT_SECRET_HS256, NULL, J({"exp":NaN}), JWT_MALFORMED},
    {.name = "exp Infinity", MINT_SECRET_HS256, NULL, J({"exp":Infinity}), JWT_MALFORMED},
    {.name = "exp hexadecimal", MINT_SECRET_HS256, NULL, J({"exp":0x7fffffff}), JWT_MALFORMED},
    {.name = "exp with leading zeros", MINT_SECRET_HS256, NULL, J({"exp":01800003600}), JWT_MALFORMED},
    {.name = "exp a text", MINT_SECRET_HS256, NULL, J({"exp":"1800003600"}), JWT_MALFORMED},
    {.name = "exp null", MINT_SECRET_HS256, NULL, J({"exp":null}), JWT_MALFORMED},
    {.name = "exp true", MINT_SECRET_HS256, NULL, J({"exp":true}), JWT_MALFORMED},
    {.name = "exp an array", MINT_SECRET_HS256, NULL, J({"exp":[1800003600]}), JWT_MALFORMED},
    {.name = "exp missing", MINT_SECRET_HS256, NULL, J({"sub":"a","role":"authenticated"}), JWT_ENDLESS},
    {.name = "exp missing, of the service key", MINT_SECRET_HS256, NULL, J({"role":"service_role"}), JWT_ENDLESS},
    {.name = "exp twice", MINT_SECRET_HS256, NULL, J({"exp":1,"exp":1800003600}), JWT_MALFORMED},
    {.name = "EXP instead of exp", MINT_SECRET_HS256, NULL, J({"EXP":1800003600}), JWT_ENDLESS},
    {.name = "nbf past", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":1799999999}), JWT_GOOD},
    {.name = "nbf at the end of the skew", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":1800000030}), JWT_GOOD},
    {.name = "nbf beyond the skew", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":1800000031}), JWT_NOT_YET},
    {.name = "nbf a fraction beyond the skew", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":1800000030.1}), JWT_NOT_YET},
    {.name = "nbf huge", MINT_SECRET_HS256, NULL, J({"exp":1e300,"nbf":1e299}), JWT_NOT_YET},
    {.name = "nbf negative", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":-1}), JWT_GOOD},
    {.name = "nbf a text", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":"0"}), JWT_MALFORMED},
    {.name = "nbf null", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"nbf":null}), JWT_MALFORMED},
    {.name = "iat past", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iat":1700000000}), JWT_GOOD},
    {.name = "iat at the end of the skew", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iat":1800000030}), JWT_GOOD},
    {.name = "iat in the future", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iat":1800000031}), JWT_NOT_YET},
    {.name = "iat a text", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iat":"1700000000"}), JWT_MALFORMED},
    {.name = "expired and in the future", MINT_SECRET_HS256, NULL, J({"exp":1,"nbf":1900000000}), JWT_EXPIRED},
    {.name = "expired, of RS256", MINT_RSA_RS256, NULL, J({"exp":1}), JWT_EXPIRED},
    {.name = "expired, of ES256", MINT_EC_ES256, NULL, J({"exp":1}), JWT_EXPIRED},
    {.name = "expired, and signed by somebody else", MINT_OTHER_ES256, NULL, J({"exp":1}), JWT_BAD_SIGNATURE},
};

#define AUD .audience = "authenticated"
#define ISS .issuer = "https://abc.supabase.co/auth/v1"
static const struct row parties[] = {
    {.name = "aud that nobody asks for", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":7}), JWT_GOOD},
    {.name = "aud the text", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":"authenticated"}), JWT_GOOD, AUD},
    {.name = "aud an array of it", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":["authenticated"]}), JWT_GOOD, AUD},
    {.name = "aud an array with it", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":["a","authenticated","b"]}), JWT_GOOD, AUD},
    {.name = "aud another text", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":"anon"}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud begins like it", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":"authenticatedx"}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud the beginning of it", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":"auth"}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud in another case", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":"Authenticated"}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud empty", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":""}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud an empty array", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":[]}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud an array of others", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":["a","b"]}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud an array in an array", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":[["authenticated"]]}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud an array not only of texts", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":["authenticated",1]}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud missing", MINT_SECRET_HS256, NULL, J({"exp":1800003600}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud null", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":null}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud an object", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"aud":{"authenticated":"authenticated"}}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "aud of ES256", MINT_EC_ES256, NULL, J({"exp":1800003600,"aud":"anon"}), JWT_WRONG_AUDIENCE, AUD},
    {.name = "iss that nobody asks for", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":[]}), JWT_GOOD},
    {.name = "iss the text", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":"https://abc.supabase.co/auth/v1"}), JWT_GOOD, ISS},
    {.name = "iss with escapes", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"iss\":\"https:\\/\\/abc.supabase.co\\/auth\\/v1\"}", JWT_GOOD, ISS},
    {.name = "iss with a slash behind", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":"https://abc.supabase.co/auth/v1/"}), JWT_WRONG_ISSUER, ISS},
    {.name = "iss of another project", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":"https://abd.supabase.co/auth/v1"}), JWT_WRONG_ISSUER, ISS},
    {.name = "iss in an array", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":["https://abc.supabase.co/auth/v1"]}), JWT_WRONG_ISSUER, ISS},
    {.name = "iss missing", MINT_SECRET_HS256, NULL, J({"exp":1800003600}), JWT_WRONG_ISSUER, ISS},
    {.name = "iss null", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"iss":null}), JWT_WRONG_ISSUER, ISS},
    {.name = "audience before issuer", MINT_SECRET_HS256, NULL, J({"exp":1800003600}), JWT_WRONG_AUDIENCE, AUD, ISS},
    {.name = "expired before audience", MINT_SECRET_HS256, NULL, J({"exp":1}), JWT_EXPIRED, AUD},
};

static const struct row payloads[] = {
    {.name = "payload with white space", MINT_SECRET_HS256, NULL, "\n{ \"exp\" : 1800003600 }\t", JWT_GOOD},
    {.name = "payload with large numbers", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"n":123456789012345678901234567890}), JWT_GOOD},
    {.name = "payload in many languages", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"n\":\"Zo\xc3\xab \xf0\x9f\x98\x80 \\ud83d\\ude00\"}", JWT_GOOD},
    {.name = "payload an array", MINT_SECRET_HS256, NULL, J([{"exp":1800003600}]), JWT_MALFORMED},
    {.name = "payload a text", MINT_SECRET_HS256, NULL, J("exp"), JWT_MALFORMED},
    {.name = "payload a number", MINT_SECRET_HS256, NULL, "1800003600", JWT_MALFORMED},
    {.name = "payload null", MINT_SECRET_HS256, NULL, J(null), JWT_MALFORMED},
    {.name = "payload no JSON", MINT_SECRET_HS256, NULL, "exp", JWT_MALFORMED},
    {.name = "payload cut off", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600", JWT_MALFORMED},
    {.name = "payload with something behind", MINT_SECRET_HS256, NULL, J({"exp":1800003600}x), JWT_MALFORMED},
    {.name = "two payloads", MINT_SECRET_HS256, NULL, J({"exp":1800003600}{"exp":1800003600}), JWT_MALFORMED},
    {.name = "role twice", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"role":"anon","role":"service_role"}), JWT_MALFORMED},
    {.name = "role twice, once escaped", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"role\":\"anon\",\"ro\\u006ce\":\"x\"}", JWT_MALFORMED},
    {.name = "sub twice, of ES256", MINT_EC_ES256, NULL, J({"exp":1800003600,"sub":"a","sub":"a"}), JWT_MALFORMED},
    {.name = "a name twice further down", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"app_metadata":{"a":{"b":1,"b":2}}}), JWT_MALFORMED},
    {.name = "a name twice in an array", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"amr":[{"m":1,"m":2}]}), JWT_MALFORMED},
    {.name = "the same name in two objects", MINT_SECRET_HS256, NULL, J({"exp":1800003600,"a":{"exp":1},"b":{"exp":1}}), JWT_GOOD},
    {.name = "sub with an escaped NUL", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"a\\u0000b\"}", JWT_MALFORMED},
    {.name = "a name with an escaped NUL", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"role\\u0000x\":\"a\"}", JWT_MALFORMED},
    {.name = "half a surrogate pair", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"\\ud800\"}", JWT_MALFORMED},
    {.name = "not UTF-8", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"\xff\xfe\"}", JWT_MALFORMED},
    {.name = "too long UTF-8", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"\xc0\xaf\"}", JWT_MALFORMED},
    {.name = "a surrogate as UTF-8", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"\xed\xa0\x80\"}", JWT_MALFORMED},
    {.name = "a control character", MINT_SECRET_HS256, NULL, "{\"exp\":1800003600,\"sub\":\"a\nb\"}", JWT_MALFORMED},
    {.name = "a bad payload, and signed by somebody else", MINT_OTHER_HS256, NULL, "[", JWT_BAD_SIGNATURE},
};
/* clang-format on */

static struct jwt_keys *sets[SETS];

/* --- running them ------------------------------------------------------------------------ */

static struct jwt_keys *
keys_of(const char *secret, const char *jwks)
{
    char path[] = "/tmp/test_jwt.XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    struct jwt_key_source from = {secret, jwks != NULL ? path : NULL};
    struct jwt_keys *keys = NULL;
    struct err err = {.text = ""};

    if (f == NULL || (jwks != NULL && fputs(jwks, f) < 0) || fclose(f) != 0 ||
        !jwt_keys_new(&from, &keys, &err)) {
        printf("Bail out! no keys: %s\n", err.text);
        exit(1);
    }
    remove(path);
    return keys;
}

static enum jwt_verdict
verify(const struct row *row, const char *token, struct arena *arena, struct jwt_claims *ret)
{
    struct jwt_policy policy = {row->audience, row->issuer, 30};

    return jwt_verify(sets[row->has], &policy, token, strlen(token), NOW_S, arena, ret);
}

static void
run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        struct jwt_claims claims = {.json = "untouched"};
        struct arena arena;

        arena_init(&arena);
        is_str(jwt_verdict_text(
                   verify(row, mint(row->with, row->header, row->payload), &arena, &claims)),
               jwt_verdict_text(row->verdict), "%s", row->name);
        is_str(claims.json, row->verdict == JWT_GOOD ? row->payload : "untouched",
               "  and its claims");
        arena_release(&arena);
        mint_forget();
    }
}

/* --- what comes of a good one ------------------------------------------------------------ */

static void
says(const char *payload, const char *role, const char *sub, int64_t exp_s)
{
    static const struct row any = {.has = ALL};
    struct jwt_claims claims = {.json = NULL};
    struct arena arena;

    arena_init(&arena);
    is_int(verify(&any, mint(MINT_SECRET_HS256, NULL, payload), &arena, &claims), JWT_GOOD, "%s",
           payload);
    is_str(claims.json, payload, "  its claims are what came");
    is_str(claims.role, role, "  its role");
    is_str(claims.sub, sub, "  its sub");
    is_int(claims.exp_s, exp_s, "  its end");
    arena_release(&arena);
    mint_forget();
}

/* clang-format off */
static void
claims(void)
{
    says(FINE, "authenticated", USER, 1800003600);
    says(J({"exp":1800003600.9}), NULL, NULL, 1800003600);
    says(J({"exp":1800003600,"sub":7,"role":["authenticated"]}), NULL, NULL, 1800003600);
    says(J({"exp":1800003600,"sub":null,"role":null}), NULL, NULL, 1800003600);
    says(J({"exp":1800003600,"sub":{"a":1},"role":{"b":1}}), NULL, NULL, 1800003600);
    says(J({"exp":1800003600,"sub":"","role":""}), "", "", 1800003600);
    says(J({"exp":1800003600,"Sub":"a","ROLE":"b"}), NULL, NULL, 1800003600);
    says(J({"exp":1800003600,"a":{"sub":"a","role":"b"}}), NULL, NULL, 1800003600);
    says("{\"exp\":1800003600,\"sub\":\"\\u0041\",\"role\":\"x\\\"y\"}", "x\"y", "A", 1800003600);
    says(J({"exp":1e300}), NULL, NULL, 253402300799);
    says(J({"exp":253402300800}), NULL, NULL, 253402300799);
}
/* clang-format on */

static void
verdicts(void)
{
    for (int a = 0; a < JWT_VERDICTS; a++) {
        for (int b = 0; b < a; b++)
            ok(strcmp(jwt_verdict_text((enum jwt_verdict)a),
                      jwt_verdict_text((enum jwt_verdict)b)) != 0,
               "verdicts %d and %d have texts of their own", b, a);
    }
    ok(jwt_verdict_text(JWT_VERDICTS) != NULL, "what is no verdict has a text, too");
}

int
main(void)
{
    mint_open();
    sets[ALL] = keys_of(MINT_SECRET, mint_jwks());
    sets[SECRET_ONLY] = keys_of(MINT_SECRET, NULL);
    char public[8192];
    snprintf(public, sizeof(public), "{\"keys\":[%s,%s]}", mint_jwk(MINT_RSA_RS256),
             mint_jwk(MINT_EC_ES256));
    sets[PUBLIC_ONLY] = keys_of(NULL, public);

    run(signatures, LENGTH(signatures));
    run(confusions, LENGTH(confusions));
    run(headers, LENGTH(headers));
    run(times, LENGTH(times));
    run(parties, LENGTH(parties));
    run(payloads, LENGTH(payloads));
    claims();
    verdicts();

    for (int i = 0; i < SETS; i++)
        jwt_keys_free(sets[i]);
    mint_close();
    return done_testing();
}
