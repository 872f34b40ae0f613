namespace Centaur.Proxy.Scanning;

/// <summary>One form in which a value may appear, and what is written in its stead. Text holds one character a byte (Latin-1).</summary>
sealed record Needle(string Text, byte[] Bytes, byte[] Replacement);
