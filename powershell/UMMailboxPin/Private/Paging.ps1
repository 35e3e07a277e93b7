# A listing that is read page by page while the pipeline wants more of it.
function New-UmPager {
    param([UMMailboxPin.SessionHandle] $Session, [System.Collections.IDictionary] $Request, [UMMailboxPin.Unlimited] $ResultSize)

    $limit = if ($null -eq $ResultSize) { [uint64] 1000 } else { $ResultSize.Value }
    @{ Session = $Session; Request = $Request; Limit = $limit; Left = $limit; After = $null; Done = $false; Cut = $false }
}

# The next page: @{ Items; Failure; Diagnostics; Warnings }. One item more than wanted is asked for, which tells whether the limit cut.
function Read-UmPage {
    param([hashtable] $Pager)

    $pageSize = 500
    $request = $Pager.Request.Clone()
    $request['pageSize'] = if ($Pager.Left -lt $pageSize) { [int] $Pager.Left + 1 } else { $pageSize }
    if ($null -ne $Pager.After) {
        $request['after'] = $Pager.After
    }

    $answer = Invoke-UmRequest -Session $Pager.Session -Request $request
    if ($null -ne $answer.Failure) {
        $Pager.Done = $true
        return @{ Items = @(); Failure = $answer.Failure; Diagnostics = $answer.Diagnostics; Warnings = $null }
    }

    $items = @($answer.Value['items'])
    if ([uint64] $items.Count -gt $Pager.Left) {
        $items = @($items | Microsoft.PowerShell.Utility\Select-Object -First ([int] $Pager.Left))
        $Pager.Cut = $true
    }
    $Pager.Left -= [uint64] $items.Count
    $Pager.After = $answer.Value['next']
    $Pager.Done = $Pager.Cut -or $null -eq $Pager.After
    @{ Items = $items; Failure = $null; Diagnostics = $answer.Diagnostics; Warnings = $answer.Value['warnings'] }
}

function Get-UmCutWarning {
    param([hashtable] $Pager)

    "Only the first $($Pager.Limit) results are shown. Use -ResultSize with a larger number, or -ResultSize Unlimited."
}
