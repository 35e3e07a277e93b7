#!/usr/bin/python3
"""Fills the directory: the organization's policies, its people, and the accounts that ask.

usage: users.py SMB_CONF    with an order in JSON on standard input:
  {"csv": PATH, "services": [{"name": …, "password": …, "state": …}, …], "right": SDDL}    the fixture, once
  {"generated": NUMBER}                                                                    that many mailboxes more
  {"migrated": NUMBER}                                                      that many users with what Exchange left of a PIN
"""

import csv
import hashlib
import json
import sys
import uuid

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.sd_utils import SDUtils

DIAL_PLAN = "Contoso.contoso.com"  # as it stands in phone-context
TESTS = "OU=Tests"
GENERATED = "OU=Generated"
UM_ENABLED = 1
ENABLED_ACCOUNT, DISABLED_ACCOUNT, PASSWORD_NOT_REQUIRED = 512, 514, 32
ATTRIBUTES = ("msExchUMPinChecksum", "extensionAttribute15")
# The links of one policy come back at that policy, which grows with each: spread over many, loading takes time in proportion.
GENERATED_POLICIES = 50
BATCH = 500
MINUTE = 600_000_000  # in the directory's intervals
DIGITS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999"))


class Directory:
    """A controller's own database, with the rights of the system."""

    def __init__(self, configuration):
        parameters = LoadParm()
        parameters.load(configuration)
        # Else each change copies the lists of the indexes.
        self.database = SamDB(session_info=system_session(parameters), lp=parameters, options=["batch_mode:1"])
        self.base = str(self.database.get_default_basedn())
        services = f"CN=Services,{self.database.get_config_basedn()}"
        self.exchange = f"CN=Microsoft Exchange,{services}"
        self.organization = f"CN=Contoso,{self.exchange}"
        self.dial_plan = f"CN=Contoso,CN=UM DialPlan Container,{self.organization}"

    def add(self, dn, **attributes):
        self.database.add({"dn": dn, **attributes})

    def policy_dn(self, name):
        return f"CN={name},CN=UM Mailbox Policies,{self.organization}"

    def policy(self, name):
        """With every default written out, as Exchange does."""
        self.add(
            self.policy_dn(name),
            objectClass="msExchUMRecipientTemplate",
            msExchUMPinPolicyMinPasswordLength="6",
            msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed="5",
            msExchUMPinPolicyExpiryDays="60",
            msExchUMPinPolicyDisallowCommonPatterns="TRUE",
            msExchUMPinPolicyAccountLockoutFailures="15",
            msExchUMLogonFailuresBeforePINReset="5",
            msExchUMMailboxPolicyDialPlanLink=self.dial_plan,
        )

    def configuration(self):
        for dn in (
            self.exchange,
            self.organization,
            f"CN=UM DialPlan Container,{self.organization}",
            f"CN=UM Mailbox Policies,{self.organization}",
        ):
            self.add(dn, objectClass="container")
        self.add(self.dial_plan, objectClass="msExchUMDialPlan", msExchUMNumberOfDigitsInExtension="4")

    def unit(self, name):
        self.add(f"{name},{self.base}", objectClass="organizationalUnit")

    def mailbox(self, dn, guid, account, policy, extensions, **attributes):
        proxies = list(attributes.pop("proxyAddresses", []))
        proxies += [f"eum:{extension};phone-context={DIAL_PLAN}" for extension in extensions]
        person = {
            "dn": dn,
            "objectClass": "user",
            "objectGUID": guid.bytes_le,
            "sAMAccountName": account,
            # Nobody signs in with these, and a password costs as much as ten entries.
            "userAccountControl": str(ENABLED_ACCOUNT | PASSWORD_NOT_REQUIRED),
            "mailNickname": account,
            "msExchMailboxGuid": uuid.uuid5(guid, "mailbox").bytes_le,
            "msExchUMEnabledFlags": str(UM_ENABLED if policy else 0),
            "proxyAddresses": proxies,
            **attributes,
        }
        if policy:
            person["msExchUMTemplateLink"] = self.policy_dn(policy)
            person["msExchUMRecipientDialPlanLink"] = self.dial_plan
        # The control lets a new entry have an objectGUID that the server did not choose.
        self.database.add({name: value for name, value in person.items() if value}, ["relax:0"])

    def fixture(self, path):
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            # The same people in whatever domain.
            row["DistinguishedName"] = row["DistinguishedName"].replace("DC=contoso,DC=com", self.base)
        parents = sorted({str(ldb.Dn(self.database, row["DistinguishedName"]).parent()) for row in rows})
        for parent in parents:
            self.unit(parent.split(",", 1)[0])
        for name in sorted({row["UMMailboxPolicy"] for row in rows} - {""}):
            self.policy(name)
        for row in rows:
            self.mailbox(
                row["DistinguishedName"],
                uuid.UUID(row["Guid"]),
                row["SamAccountName"],
                row["UMMailboxPolicy"] if row["UMEnabled"] == "TRUE" else None,
                [extension for extension in row["Extensions"].split(";") if extension],
                displayName=row["DisplayName"],
                mailNickname=row["Alias"],
                mail=row["PrimarySmtpAddress"],
                userPrincipalName=row["UserPrincipalName"],
                legacyExchangeDN=row["LegacyExchangeDN"],
                proxyAddresses=row["EmailAddresses"].split(";"),
            )
        return [parent.split(",", 1)[0] for parent in parents]

    def generated(self, number):
        names = [f"Generated {n:02}" for n in range(GENERATED_POLICIES)]
        for name in names:
            self.policy(name)
        for first in range(0, number, BATCH):
            self.database.transaction_start()
            for n in range(first, min(first + BATCH, number)):
                self.generated_person(n, names[n % len(names)])
            self.database.transaction_commit()

    def generated_person(self, n, policy):
        account = f"user{n:06}"
        keys = "".join(DIGITS.get(letter, letter) for letter in account.upper())
        self.mailbox(
            f"CN=Generated User {n:06},{GENERATED},{self.base}",
            uuid.uuid5(uuid.NAMESPACE_URL, account),
            account,
            policy,
            [str(100_000 + n)],
            displayName=f"Generated User {n:06}",
            mail=f"{account}@contoso.com",
            userPrincipalName=f"{account}@contoso.com",
            legacyExchangeDN=f"/o=Contoso/ou=Exchange Administrative Group/cn=Recipients/cn={account}",
            proxyAddresses=[f"SMTP:{account}@contoso.com", f"smtp:generated.{n:06}@contoso.com"],
            msExchUMDtmfMap=[f"emailAddress:{keys}"],
        )

    def migrated(self, number):
        """With nothing else, because each value more takes time."""
        for first in range(0, number, BATCH):
            self.database.transaction_start()
            for n in range(first, min(first + BATCH, number)):
                account = f"user{n:06}"
                self.add(
                    f"CN={account},{GENERATED},{self.base}",
                    objectClass="user",
                    sAMAccountName=account,
                    # As Exchange's look: binary, and no sealed value of ours.
                    msExchUMPinChecksum=hashlib.sha256(account.encode()).digest(),
                )
            self.database.transaction_commit()

    def service(self, name, password, state):
        """An account that signs in. What is wrong with it is written last, because a password undoes some of it."""
        dn = f"CN={name},CN=Users,{self.base}"
        self.add(dn, objectClass="user", sAMAccountName=name, userPrincipalName=f"{name}@contoso.com")
        self.database.setpassword(f"(sAMAccountName={name})", password)
        changes = {
            "ready": {"userAccountControl": str(ENABLED_ACCOUNT)},
            "locked": {"userAccountControl": str(ENABLED_ACCOUNT), "lockoutTime": "132539328000000000"},
            "expired": {"userAccountControl": str(ENABLED_ACCOUNT), "accountExpires": "132539328000000000"},
            "disabled": {"userAccountControl": str(DISABLED_ACCOUNT)},
            "stale": {"userAccountControl": str(ENABLED_ACCOUNT), "pwdLastSet": "0"},
        }
        self.replace(dn, changes[state])

    def replace(self, dn, values):
        message = ldb.Message(ldb.Dn(self.database, dn))
        for attribute, value in values.items():
            message[attribute] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attribute)
        self.database.modify(message)

    def lock_for_good(self):
        """Whoever is locked stays so: the template of the forest may be days old."""
        self.replace(self.base, {"lockoutDuration": str(-(2**63))})

    def delegate(self, unit, account, right):
        """What the documentation has the administrator grant there, for both attributes."""
        right = right.replace("$sid", self.sid(account))
        descriptors = SDUtils(self.database)
        for attribute in ATTRIBUTES:
            descriptors.dacl_add_ace(f"{unit},{self.base}", right.replace("$guid", self.schema_guid(attribute)))

    def sid(self, account):
        found = self.database.search(expression=f"(sAMAccountName={account})", attrs=["objectSid"])
        return self.database.schema_format_value("objectSid", found[0]["objectSid"][0]).decode()

    def schema_guid(self, attribute):
        found = self.database.search(
            self.database.get_schema_basedn(), expression=f"(lDAPDisplayName={attribute})", attrs=["schemaIDGUID"]
        )
        return str(uuid.UUID(bytes_le=bytes(found[0]["schemaIDGUID"][0])))


def main():
    directory = Directory(sys.argv[1])
    order = json.load(sys.stdin)
    if "csv" in order:
        directory.configuration()
        units = [TESTS, GENERATED] + directory.fixture(order["csv"])
        directory.unit(TESTS)
        directory.unit(GENERATED)
        directory.lock_for_good()
        for service in order["services"]:
            directory.service(**service)
        for unit in units:
            directory.delegate(unit, order["services"][0]["name"], order["right"])
    if "generated" in order:
        directory.generated(order["generated"])
    if "migrated" in order:
        directory.migrated(order["migrated"])


main()
