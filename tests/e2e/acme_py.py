"""A program for python-acme as it is today (run by test_clients_current.py, in an environment that has it): binds an
account, orders by a profile, proves by dns-01, asks when to renew, renews, and revokes. Prints what happened as JSON."""
import json
import subprocess
import sys

import josepy
from acme import challenges, client, crypto_util, messages
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def new_request(name):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return crypto_util.make_csr(pem, domains=[name])


def obtain(acme, name, publish, profile):
    order = acme.new_order(new_request(name), profile)
    offered = sorted({c.chall.to_json()["type"] for a in order.authorizations for c in a.body.challenges})
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        body = next(c for c in authorization.body.challenges if isinstance(c.chall, challenges.DNS01))
        response, value = body.response_and_validation(acme.net.key)
        subprocess.run([publish, "add", body.validation_domain_name(name), value], check=True)
        acme.answer_challenge(body, response)
    done = acme.poll_and_finalize(order)
    return offered, done.fullchain_pem


def main(directory, name, publish, kid, mac, profile):
    key = josepy.JWKRSA(key=josepy.util.ComparableRSAKey(rsa.generate_private_key(65537, 2048)))
    net = client.ClientNetwork(key)
    acme = client.ClientV2(client.ClientV2.get_directory(directory, net), net)
    binding = messages.ExternalAccountBinding.from_data(account_public_key=key.public_key(), kid=kid, hmac_key=mac,
                                                        directory=acme.directory)
    acme.new_account(messages.NewRegistration.from_data(email="a@example.com", terms_of_service_agreed=True,
                                                        external_account_binding=binding))
    offered, first = obtain(acme, name, publish, profile)
    when, again = acme.renewal_time(first.encode())
    _, second = obtain(acme, name, publish, profile)
    certificate = x509.load_pem_x509_certificate(first.encode())
    acme.revoke(certificate, 4)
    soon, _ = acme.renewal_time(second.encode())
    print(json.dumps({"offered": offered, "first": first, "second": second, "profiles": sorted(acme.directory.meta.profiles),
                      "renew": when.isoformat() if when else None, "asked_again": again.isoformat(),
                      "second_renew": soon.isoformat() if soon else None}))


main(*sys.argv[1:])
