# Asks for a PIN without showing it, and returns what stands for it. Not PowerShell's own question for a mandatory parameter: for a
# secret, at the end of its input, that ends the whole script without an error.
function Read-UmPin {
    param($Runtime, $UserInterface)

    $pin = $null
    $problem = 'its input does not come from a terminal.'
    if ($UserInterface.Name -ne 'ConsoleHost' -or -not [Console]::IsInputRedirected) {
        $field = [System.Management.Automation.Host.FieldDescription]::new('Pin')
        $field.SetParameterType([securestring])
        $problem = 'the answer was empty.'
        try {
            $pin = $UserInterface.UI.Prompt('', '', @($field))['Pin']
        }
        catch [System.Management.Automation.PipelineStoppedException] {
            throw
        }
        catch {
            $problem = $_.Exception.GetBaseException().Message
            $global:Error.Remove($_)
        }
    }
    $placeholder = [UMMailboxPin.GivenPin]::Hold($(if ($null -ne $pin) { $pin.PSObject.BaseObject }))
    if (-not $placeholder) {
        $Runtime.Terminate($Runtime.NewMissingPin($problem))
    }
    $placeholder
}
