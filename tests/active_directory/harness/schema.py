#!/usr/bin/python3
"""Extends the schema by what Exchange brings and Unified Messaging uses.

usage: schema.py SMB_CONF

Names and syntaxes are Exchange's. So are the object identifiers, and the schemaIDGUID, where they are public; the rest stands
under the arc for documentation (RFC 5612), because nothing here depends on it.
"""

import sys
from uuid import UUID

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

EXCHANGE = "1.2.840.113556.1.4.7000.102."
DOCUMENTATION = "1.3.6.1.4.1.32473.1."
LINK_ID = "1.2.840.113556.1.2.50"  # the server chooses one

BOOLEAN = ("2.5.5.8", 1)
INTEGER = ("2.5.5.9", 2)
OCTETS = ("2.5.5.10", 4)
TEXT = ("2.5.5.12", 64)
NAME = ("2.5.5.1", 127)

INDEXED, PRESERVED, RESOLVED = 1, 8, 4  # searchFlags: fINDEX, fPRESERVEONDELETE, fANR

# Common name, attribute, object identifier, syntax, and what is not the usual: several values, searchFlags, in the global catalog,
# range, back link.
USER = [
    ("ms-Exch-Mail-Nickname", "mailNickname", None, TEXT, {"flags": INDEXED | RESOLVED, "gc": True, "range": (1, 64)}),
    ("ms-Exch-Mailbox-Guid", "msExchMailboxGuid", None, OCTETS, {"flags": INDEXED | PRESERVED, "gc": True, "range": (16, 16)}),
    ("ms-Exch-UM-Enabled-Flags", "msExchUMEnabledFlags", "50335", INTEGER, {"flags": INDEXED, "gc": True}),
    ("ms-Exch-UM-Enabled-Flags-2", "msExchUMEnabledFlags2", "50905", INTEGER, {"gc": True}),
    ("ms-Exch-UM-Server-Writable-Flags", "msExchUMServerWritableFlags", "50850", INTEGER, {"gc": True}),
    ("ms-Exch-UM-Pin-Checksum", "msExchUMPinChecksum", "50344", OCTETS, {"guid": "3263e3b8-fd6b-4c60-87f2-34bdaa9d69eb"}),
    ("ms-Exch-UM-Template-Link", "msExchUMTemplateLink", "50367", NAME, {"flags": INDEXED, "gc": True, "back": "msExchUMTemplateBL"}),
    ("ms-Exch-UM-Recipient-Dial-Plan-Link", "msExchUMRecipientDialPlanLink", "50388", NAME, {"gc": True, "back": "msExchUMRecipientDialPlanBL"}),
    ("ms-Exch-UM-Dtmf-Map", "msExchUMDtmfMap", "50341", TEXT, {"several": True, "flags": INDEXED, "gc": True}),
] + [
    (f"ms-Exch-Extension-Attribute-{n}", f"extensionAttribute{n}", None, TEXT, {"gc": True, "range": (1, 1024)})
    for n in range(1, 16)
]
POLICY = [
    ("ms-Exch-UM-Pin-Policy-Min-Password-Length", "msExchUMPinPolicyMinPasswordLength", None, INTEGER, {}),
    ("ms-Exch-UM-Pin-Policy-Number-Of-Previous-Passwords-Disallowed", "msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed", None, INTEGER, {}),
    ("ms-Exch-UM-Pin-Policy-Expiry-Days", "msExchUMPinPolicyExpiryDays", None, INTEGER, {}),
    ("ms-Exch-UM-Pin-Policy-Disallow-Common-Patterns", "msExchUMPinPolicyDisallowCommonPatterns", None, BOOLEAN, {}),
    ("ms-Exch-UM-Pin-Policy-Account-Lockout-Failures", "msExchUMPinPolicyAccountLockoutFailures", None, INTEGER, {}),
    ("ms-Exch-UM-Logon-Failures-Before-PIN-Reset", "msExchUMLogonFailuresBeforePINReset", None, INTEGER, {}),
    ("ms-Exch-UM-Reset-PIN-Text", "msExchUMResetPINText", None, TEXT, {"range": (0, 512)}),
    ("ms-Exch-UM-Mailbox-Policy-Dial-Plan-Link", "msExchUMMailboxPolicyDialPlanLink", None, NAME, {"back": "msExchUMMailboxPolicyDialPlanBL"}),
]
DIAL_PLAN = [
    ("ms-Exch-UM-Number-Of-Digits-In-Extension", "msExchUMNumberOfDigitsInExtension", None, INTEGER, {}),
]
# Common name, class, attributes, and the back links that end there.
CLASSES = [
    ("ms-Exch-UM-Recipient-Template", "msExchUMRecipientTemplate", POLICY, ["msExchUMTemplateBL"]),
    ("ms-Exch-UM-Dial-Plan", "msExchUMDialPlan", DIAL_PLAN, ["msExchUMRecipientDialPlanBL", "msExchUMMailboxPolicyDialPlanBL"]),
]


class Schema:
    """The schema partition of a controller's own database."""

    def __init__(self, configuration):
        parameters = LoadParm()
        parameters.load(configuration)
        parameters.set("dsdb:schema update allowed", "yes")
        self.database = SamDB(session_info=system_session(parameters), lp=parameters)
        self.base = str(self.database.get_schema_basedn())
        self.own = 0

    def identifier(self, number):
        if number:
            return EXCHANGE + number
        self.own += 1
        return DOCUMENTATION + str(self.own)

    def attribute(self, common_name, name, number, syntax, more):
        entry = {
            "dn": f"CN={common_name},{self.base}",
            "objectClass": "attributeSchema",
            "lDAPDisplayName": name,
            "attributeID": self.identifier(number),
            "attributeSyntax": syntax[0],
            "oMSyntax": str(syntax[1]),
            "isSingleValued": "FALSE" if more.get("several") else "TRUE",
            "searchFlags": str(more.get("flags", 0)),
            "isMemberOfPartialAttributeSet": "TRUE" if more.get("gc") else "FALSE",
        }
        if syntax is NAME:
            entry["oMObjectClass"] = b"\x2b\x0c\x02\x87\x73\x1c\x00\x85\x4a"  # DS-DN
        if "range" in more:
            entry["rangeLower"], entry["rangeUpper"] = map(str, more["range"])
        if "guid" in more:
            entry["schemaIDGUID"] = UUID(more["guid"]).bytes_le
        if "back" in more:
            entry["linkID"] = LINK_ID
        self.database.add(entry)

    def back_link(self, common_name, name, forward):
        self.database.add(
            {
                "dn": f"CN={common_name}-BL,{self.base}",
                "objectClass": "attributeSchema",
                "lDAPDisplayName": name,
                "attributeID": self.identifier(None),
                "attributeSyntax": NAME[0],
                "oMSyntax": str(NAME[1]),
                "oMObjectClass": b"\x2b\x0c\x02\x87\x73\x1c\x00\x85\x4a",
                "isSingleValued": "FALSE",
                "systemOnly": "TRUE",
                "systemFlags": "1",  # not replicated
                "linkID": forward,
            }
        )

    def object_class(self, common_name, name, attributes, back_links):
        self.database.add(
            {
                "dn": f"CN={common_name},{self.base}",
                "objectClass": "classSchema",
                "lDAPDisplayName": name,
                "governsID": self.identifier(None),
                "subClassOf": "top",
                "objectClassCategory": "1",
                "rDNAttID": "cn",
                "defaultObjectCategory": f"CN={common_name},{self.base}",
                "mayContain": [attribute[1] for attribute in attributes] + back_links,
                "possSuperiors": "container",
                # As Exchange has it: who is signed in may read.
                "defaultSecurityDescriptor": "D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;AU)",
            }
        )

    def change(self, common_name, attribute, values, how):
        message = ldb.Message(ldb.Dn(self.database, f"CN={common_name},{self.base}"))
        message[attribute] = ldb.MessageElement(values, how, attribute)
        self.database.modify(message)

    def extend(self):
        attributes = USER + POLICY + DIAL_PLAN
        for attribute in attributes:
            self.attribute(*attribute)
        self.database.set_schema_update_now()
        for common_name, name, _, _, more in attributes:
            if "back" in more:
                self.back_link(common_name, more["back"], name)
        self.database.set_schema_update_now()
        for entry in CLASSES:
            self.object_class(*entry)
        # Exchange, too, hangs its attributes on this auxiliary class of users, and puts the proxies into the global catalog.
        self.change("Mail-Recipient", "mayContain", [attribute[1] for attribute in USER], ldb.FLAG_MOD_ADD)
        self.change("Proxy-Addresses", "isMemberOfPartialAttributeSet", "TRUE", ldb.FLAG_MOD_REPLACE)
        self.database.set_schema_update_now()


Schema(sys.argv[1]).extend()
