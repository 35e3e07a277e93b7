# A time of the library's, milliseconds since 1970 UTC, in the local time that administrators read. None: $null.
function ConvertFrom-UmTime {
    param($Milliseconds)

    if ($null -ne $Milliseconds) {
        [datetime]::new(1970, 1, 1, 0, 0, 0, [DateTimeKind]::Utc).AddMilliseconds($Milliseconds).ToLocalTime()
    }
}
