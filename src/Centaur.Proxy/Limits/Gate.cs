namespace Centaur.Proxy.Limits;

/// <summary>Lets so many in at once, and turns the rest away.</summary>
sealed class Gate(int capacity)
{
    int inside;

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref inside) <= capacity)
            return true;
        Interlocked.Decrement(ref inside);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref inside);
}
