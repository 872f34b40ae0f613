namespace Centaur.Proxy.Front;

/// <summary>Replies of RFC 1928, section 6, and two states before a reply is due.</summary>
enum SocksAnswer
{
    Granted = 0,
    Failed = 1,
    NotAllowed = 2,
    CommandUnknown = 7,
    KindUnknown = 8,

    /// <summary>The client offers no method that is taken here.</summary>
    NoMethod = 0xFF,

    /// <summary>The client left before it had asked.</summary>
    Gone = 0x100,
}
