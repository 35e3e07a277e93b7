//! The properties of a mailbox that a file may have columns or attributes for.

use std::fmt;

/// One property, under the name that `Get-Mailbox` and the columns of a CSV file have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Property {
    DistinguishedName,
    Name,
    DisplayName,
    Alias,
    SamAccountName,
    UserPrincipalName,
    PrimarySmtpAddress,
    EmailAddresses,
    LegacyExchangeDn,
    Guid,
    UmEnabled,
    Extensions,
    UmMailboxPolicy,
    PreferredLanguage,
}

impl Property {
    /// Every property, in the order of their columns.
    pub const ALL: [Self; 14] = [
        Self::DistinguishedName,
        Self::Name,
        Self::DisplayName,
        Self::Alias,
        Self::SamAccountName,
        Self::UserPrincipalName,
        Self::PrimarySmtpAddress,
        Self::EmailAddresses,
        Self::LegacyExchangeDn,
        Self::Guid,
        Self::UmEnabled,
        Self::Extensions,
        Self::UmMailboxPolicy,
        Self::PreferredLanguage,
    ];

    /// The name of the column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DistinguishedName => "DistinguishedName",
            Self::Name => "Name",
            Self::DisplayName => "DisplayName",
            Self::Alias => "Alias",
            Self::SamAccountName => "SamAccountName",
            Self::UserPrincipalName => "UserPrincipalName",
            Self::PrimarySmtpAddress => "PrimarySmtpAddress",
            Self::EmailAddresses => "EmailAddresses",
            Self::LegacyExchangeDn => "LegacyExchangeDN",
            Self::Guid => "Guid",
            Self::UmEnabled => "UMEnabled",
            Self::Extensions => "Extensions",
            Self::UmMailboxPolicy => "UMMailboxPolicy",
            Self::PreferredLanguage => "PreferredLanguage",
        }
    }
}

/// A set of properties.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties(u16);

impl Properties {
    /// All of them.
    pub const ALL: Self = Self((1 << Property::ALL.len()) - 1);

    /// Adds one.
    pub fn insert(&mut self, property: Property) {
        self.0 |= 1 << property as u8;
    }

    /// Whether it is among them.
    #[must_use]
    pub const fn contains(self, property: Property) -> bool {
        self.0 & (1 << property as u8) != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of their columns.
    pub fn iter(self) -> impl Iterator<Item = Property> {
        Property::ALL
            .into_iter()
            .filter(move |property| self.contains(*property))
    }
}

impl FromIterator<Property> for Properties {
    fn from_iter<T: IntoIterator<Item = Property>>(properties: T) -> Self {
        let mut set = Self::default();
        properties.into_iter().for_each(|property| set.insert(property));
        set
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Property::name)).finish()
    }
}
